"""The compact network in PyTorch: the numbers of src/prior/compact, in batches."""

import math

import torch
import torch.nn.functional as F

SPREAD, MID_GREY = 0.25, 0.5
LOW, HIGH = 0.002, 20.0
WAVES, EMBEDDED, INPUTS = 16, 64, 20
# Side of a block, slack, rate: src/prior/compact/evidence.rs.
SCALES = ((2, 0.2, 2.0), (4, 0.1, 4.0))


def layout(widths, blocks):
    """Name, shape and inputs that a start is scaled by (0: zeros), in the order of the row."""
    rows = []

    def conv(name, inputs, outputs, side, quiet=False):
        rows.append((name + ".weight", (outputs, inputs, side, side), 0 if quiet else inputs * side * side))
        rows.append((name + ".bias", (outputs,), 0))

    def stage(name, width):
        for b in range(blocks):
            conv(f"{name}.{b}.first", width, width, 3)
            conv(f"{name}.{b}.second", width, width, 3, True)
            conv(f"{name}.{b}.level", EMBEDDED, 2 * width, 1, True)

    conv("embed", WAVES, EMBEDDED, 1)
    conv("enter", INPUTS, widths[0], 3)
    deepest = len(widths) - 1
    for level in range(deepest):
        stage(f"down.{level}", widths[level])
        conv(f"reduce.{level}", 4 * widths[level], widths[level + 1], 1)
    stage("middle", widths[deepest])
    for level in range(deepest):
        conv(f"enlarge.{level}", widths[level + 1], 4 * widths[level], 1)
        stage(f"up.{level}", widths[level])
    conv("leave", widths[0], 4, 3, True)
    return rows


def average(x, sigma, side, slack, rate):
    """x: [clips, frames, height, width] about 0; its average over frames, and one over the weights' sum."""
    b, t, h, w = x.shape
    down, across = h // side, w // side
    blocks = x.view(b, t, down, side, across, side).permute(0, 2, 4, 1, 3, 5)
    blocks = blocks.reshape(b, down * across, t, side * side)
    squares = (blocks.unsqueeze(3) - blocks.unsqueeze(2)).square().mean(-1)
    squares = squares.permute(0, 2, 3, 1).reshape(b, t * t, down, across)
    squares = F.avg_pool2d(squares, 3, 1, 1, count_include_pad=False)
    squares = squares.reshape(b, t, t, down * across).permute(0, 3, 1, 2)
    excess = F.relu(squares / (2 * sigma * sigma).view(-1, 1, 1, 1) - (1 + slack))
    weights = torch.exp(-rate * excess)
    totals = weights.sum(3, keepdim=True)
    mean = weights @ blocks / totals
    mean = mean.view(b, down, across, t, side, side).permute(0, 3, 1, 4, 2, 5).reshape(b, t, h, w)
    share = totals.reciprocal().view(b, down, across, t).permute(0, 3, 1, 2)
    ratio = side // 2
    if ratio > 1:
        share = share.repeat_interleave(ratio, 2).repeat_interleave(ratio, 3)
    return mean, share


def features(x, sigma):
    """[clips * frames, INPUTS, height / 2, width / 2]"""
    b, t, h, w = x.shape
    (fine, fine_share), (coarse, coarse_share) = (average(x, sigma, *scale) for scale in SCALES)
    s = sigma.view(-1, 1, 1, 1)
    gain = (s * s + SPREAD * SPREAD).rsqrt()
    corners = torch.stack([x * gain, fine * gain, (fine - x) / s, (coarse - x) / s], 2)
    corners = F.pixel_unshuffle(corners.view(b * t, 4, h, w), 2).view(b, t, 16, h // 2, w // 2)
    one = torch.ones_like(fine_share)
    plain = torch.stack([fine_share, coarse_share, one, one / t], 2)
    return torch.cat([corners, plain], 2).view(b * t, INPUTS, h // 2, w // 2)


def waves(sigma):
    level = sigma.log() / 10
    phases = math.pi * torch.arange(1, WAVES // 2 + 1, device=sigma.device) * level[:, None]
    return torch.cat([phases.sin(), phases.cos()], 1)


def shares(sigma):
    total = sigma * sigma + SPREAD * SPREAD
    return SPREAD * SPREAD / total, sigma * SPREAD / total.sqrt()


class Compact(torch.nn.Module):
    def __init__(self, widths, blocks, seed=0):
        super().__init__()
        self.widths, self.blocks = widths, blocks
        generator = torch.Generator().manual_seed(seed)
        arrays = {}
        for name, shape, inputs in layout(widths, blocks):
            start = torch.randn(shape, generator=generator) / math.sqrt(inputs) if inputs else torch.zeros(shape)
            if len(shape) == 4:
                start = start.contiguous(memory_format=torch.channels_last)
            arrays[name.replace(".", "_")] = torch.nn.Parameter(start)
        self.arrays = torch.nn.ParameterDict(arrays)

    def named(self):
        return {name: self.arrays[name.replace(".", "_")] for name, _, _ in layout(self.widths, self.blocks)}

    def conv(self, name, x):
        weight = self.arrays[name.replace(".", "_") + "_weight"]
        return F.conv2d(x, weight, self.arrays[name.replace(".", "_") + "_bias"], padding=weight.shape[2] // 2)

    def linear(self, name, x):
        weight = self.arrays[name.replace(".", "_") + "_weight"]
        return F.linear(x, weight.flatten(1), self.arrays[name.replace(".", "_") + "_bias"])

    @staticmethod
    def shifted(x, t):
        n, c, h, w = x.shape
        e = c // 8
        v = x.view(n // t, t, c, h, w)
        # A split is quicker to differentiate than slices are.
        before, behind, mean, rest = v.split([e, e, e, c - 3 * e], 2)
        if t > 1:
            earlier, _ = before.split([t - 1, 1], 1)
            _, later = behind.split([1, t - 1], 1)
            before = torch.cat([earlier[:, :1], earlier], 1)
            behind = torch.cat([later, later[:, -1:]], 1)
        mean = mean.mean(1, keepdim=True).expand_as(before)
        out = torch.cat([before, behind, mean, rest], 2)
        return out.view(n, c, h, w).contiguous(memory_format=torch.channels_last)

    def block(self, name, x, t, level):
        modulation = self.linear(name + ".level", level).repeat_interleave(t, 0)[:, :, None, None]
        scale, shift = modulation.chunk(2, 1)
        found = self.conv(name + ".first", self.shifted(x, t))
        return self.conv(name + ".second", F.silu(found * (1 + scale) + shift)) + x

    def stage(self, name, x, t, level):
        for b in range(self.blocks):
            x = self.block(f"{name}.{b}", x, t, level)
        return x

    def forward(self, entering, told, t):
        level = F.silu(self.linear("embed", told))
        x = self.conv("enter", entering)
        skips = []
        for l in range(len(self.widths) - 1):
            x = self.stage(f"down.{l}", x, t, level)
            skips.append(x)
            x = self.conv(f"reduce.{l}", F.pixel_unshuffle(x, 2))
        x = self.stage("middle", x, t, level)
        for l in reversed(range(len(self.widths) - 1)):
            x = skips[l] + F.pixel_shuffle(self.conv(f"enlarge.{l}", x), 2)
            x = self.stage(f"up.{l}", x, t, level)
        return F.pixel_shuffle(self.conv("leave", x), 2)

    def found(self, x, sigma):
        """x: [clips, frames, height, width], 0 at mid-grey."""
        with torch.no_grad():
            entering = features(x, sigma).contiguous(memory_format=torch.channels_last)
            told = waves(sigma)
        return self(entering, told, x.shape[1]).view(x.shape)

    def denoise(self, noisy, sigma):
        x = noisy - MID_GREY
        skip, share = (v.view(-1, 1, 1, 1) for v in shares(sigma))
        return skip * x + share * self.found(x, sigma).float() + MID_GREY


def load(path):
    from safetensors.torch import load_file

    arrays = load_file(path)
    widths = [arrays["enter.weight"].shape[0]]
    while f"reduce.{len(widths) - 1}.weight" in arrays:
        widths.append(arrays[f"reduce.{len(widths) - 1}.weight"].shape[0])
    blocks = 0
    while f"middle.{blocks}.first.weight" in arrays:
        blocks += 1
    network = Compact(widths, blocks)
    with torch.no_grad():
        for name, array in network.named().items():
            array.copy_(arrays[name].float())
    return network


def widened(network, widths, seed=0):
    """A wider network that says the same, whose further channels are free to learn."""
    wide = Compact(widths, network.blocks, seed)
    old, new = network.widths, widths

    def stream(level, times=1):
        """Where a level's channels go: those that look elsewhere stay such."""
        before, after = old[level] // 8, new[level] // 8
        places = [s * after + i for s in range(3) for i in range(before)]
        places += [3 * after + i for i in range(old[level] - 3 * before)]
        return torch.tensor([times * place + k for place in places for k in range(times)])

    def hidden(level):
        return torch.arange(old[level])

    def modulation(level):
        return torch.cat([hidden(level), new[level] + hidden(level)])

    told = torch.arange(EMBEDDED)
    maps = {"embed": (told, torch.arange(WAVES)), "enter": (stream(0), torch.arange(INPUTS))}
    maps["leave"] = (torch.arange(4), stream(0))
    deepest = len(old) - 1
    stages = [("middle", deepest)]
    for level in range(deepest):
        stages += [(f"down.{level}", level), (f"up.{level}", level)]
        maps[f"reduce.{level}"] = (stream(level + 1), stream(level, 4))
        maps[f"enlarge.{level}"] = (stream(level, 4), stream(level + 1))
    for name, level in stages:
        for b in range(network.blocks):
            maps[f"{name}.{b}.first"] = (hidden(level), stream(level))
            maps[f"{name}.{b}.second"] = (stream(level), hidden(level))
            maps[f"{name}.{b}.level"] = (modulation(level), told)
    known, arrays = network.named(), wide.named()
    with torch.no_grad():
        for name, (rows, columns) in maps.items():
            weight, bias = arrays[name + ".weight"], arrays[name + ".bias"]
            taken = torch.zeros_like(weight[rows])
            taken[:, columns] = known[name + ".weight"]
            weight[rows] = taken
            bias[rows] = known[name + ".bias"]
    return wide


def save(path, named, notes):
    from safetensors.torch import save_file

    save_file({name: array.detach().half().cpu().contiguous() for name, array in named.items()}, path, notes)
