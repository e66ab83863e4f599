"""Trains a compact network with PyTorch for a set time: see README.md."""

import argparse
import csv
import json
import math
import os
import time

import numpy as np
import torch
import torch._dynamo

from network import HIGH, LOW, MID_GREY, Compact, load, save, shares, widened

# What cannot be compiled runs as it is.
torch._dynamo.config.suppress_errors = True

VALIDATED = (2.5, 10, 25, 50, 100)
# Where they are not the pool's; few, since every other length is measured anew by cuDNN.
OTHER_LENGTHS = (1, 3, 6)


def opened(path):
    """A pool of clips, as NPY, NPZ or packed by pack.py."""
    if path.endswith(".npy"):
        return torch.from_numpy(np.load(path))
    if path.endswith(".npz"):
        return torch.from_numpy(np.load(path)["arr_0"])
    import cv2

    with open(path + ".json") as file:
        packed = json.load(file)
    side, across, down = packed["side"], packed["across"], packed["down"]
    video, sets, frames = cv2.VideoCapture(path), [], []
    while True:
        read, frame = video.read()
        if not read:
            break
        frames.append(torch.from_numpy(np.ascontiguousarray(frame[..., 0])))
        if len(frames) == packed["frames"]:
            clips = torch.stack(frames).view(len(frames), down, side, across, side).permute(1, 3, 0, 2, 4)
            sets.append(clips.reshape(down * across, len(frames), side, side))
            frames = []
    return torch.cat(sets)[: packed["clips"]]


def examples(pool, count, shape, generator):
    """Clean clips, varied as src/train/batch.rs varies them."""
    clips, length, height, width = pool.shape
    device = pool.device

    def chance(share):
        return torch.rand(count, generator=generator, device=device) < share

    def below(top):
        drawn = torch.rand(count, generator=generator, device=device) * top
        return drawn.long().clamp(max=top - 1)

    def line(part, whole, flipped):
        at = torch.arange(part, device=device)[None].expand(count, -1)
        at = torch.where(flipped[:, None], part - 1 - at, at)
        return at + below(whole - part + 1)[:, None]

    frames, rows = line(shape[0], length, chance(0.5)), line(shape[1], height, chance(0.1))
    columns = line(shape[2], width, chance(0.5))
    index = (below(clips)[:, None] * length + frames)[:, :, None] * height + rows[:, None, :]
    index = index[..., None] * width + columns[:, None, None, :]
    video = pool.view(-1)[index.view(-1)].view(count, *shape).float() / 255
    contrast = 0.6 + 0.4 * torch.rand(count, generator=generator, device=device)
    contrast = torch.where(chance(0.5), contrast, 1.0).view(-1, 1, 1, 1)
    offset = torch.rand(count, generator=generator, device=device).view(-1, 1, 1, 1)
    return video * contrast + offset * (1 - contrast)


def levels(count, middle, spread, generator, device):
    """Noise levels, drawn as src/train/compact.rs draws them."""
    low, high = math.log(LOW), math.log(HIGH)
    usual = math.log(middle) + spread * torch.randn(count, generator=generator, device=device)
    anywhere = low + (high - low) * torch.rand(count, generator=generator, device=device)
    chosen = torch.where(torch.rand(count, generator=generator, device=device) < 0.15, anywhere, usual)
    return chosen.exp().clamp(LOW, HIGH)


def validate(network, held):
    """PSNR in dB at each level of VALIDATED."""
    generator = torch.Generator(device=held.device).manual_seed(5)
    out = []
    for level in VALIDATED:
        sigma, found = level / 255, []
        for some in held.split(50):
            clean = some[..., :64, :64].float() / 255
            noise = torch.randn(clean.shape, generator=generator, device=clean.device)
            with torch.no_grad():
                denoised = network.denoise(clean + sigma * noise, torch.full((len(clean),), sigma, device=clean.device))
            found.append(-10 * torch.log10((denoised - clean).square().mean((1, 2, 3))))
        out.append(torch.cat(found).mean().item())
    return out


class Averaged:
    """The average of a network's parameters, which is what is kept."""

    def __init__(self, network):
        self.step = 0
        self.parameters = list(network.parameters())
        self.values = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def follow(self):
        self.step += 1
        stay = min(0.9995, self.step / (9 + self.step))
        torch._foreach_lerp_(self.values, self.parameters, 1 - stay)

    @torch.no_grad()
    def serve(self, do):
        """What `do` makes of the network whose parameters are the average."""
        held = [p.detach().clone() for p in self.parameters]
        for p, value in zip(self.parameters, self.values):
            p.copy_(value)
        result = do()
        for p, value in zip(self.parameters, held):
            p.copy_(value)
        return result


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--pool", nargs="+", required=True)
    p.add_argument("--held", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("--start", help="weights to begin with; they are widened where --widths says so")
    p.add_argument("--widths", type=int, nargs="+", default=[64, 96, 128])
    p.add_argument("--blocks", type=int, default=2)
    p.add_argument("--batch", type=int, default=96)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--middle", type=float, default=0.08)
    p.add_argument("--spread", type=float, default=1.4)
    p.add_argument("--other-lengths", type=float, default=0.15, help="share of steps with fewer frames")
    p.add_argument("--precise", type=float, default=0.1, help="last share of the time, not in bfloat16")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--device", default="cuda")
    return p.parse_args()


def main():
    args = arguments()
    began = time.time()
    device = torch.device(args.device)
    cuda = device.type == "cuda"
    # Processors with AMX are fast in bfloat16, too.
    fast = cuda or torch.cpu._is_amx_tile_supported()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("high")
    os.makedirs(args.out, exist_ok=True)
    pool = torch.cat([opened(path) for path in args.pool]).to(device)
    held = opened(args.held).to(device)
    network = load(args.start) if args.start else Compact(args.widths, args.blocks, args.seed)
    if args.start and args.widths != network.widths:
        network = widened(network, args.widths, args.seed)
    network.to(device)
    averaged = Averaged(network)
    parameters = averaged.parameters
    optimiser = torch.optim.AdamW(parameters, lr=args.rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
    generator = torch.Generator(device=device).manual_seed(args.seed)
    lengths = np.random.default_rng(args.seed)
    count = sum(p.numel() for p in parameters)
    print(f"{count} parameters, {len(pool)} clips, read in {time.time() - began:.0f} s", flush=True)

    def loss_of(clean, noisy, sigma):
        skip, share = (v.view(-1, 1, 1, 1) for v in shares(sigma))
        return (network.found(noisy, sigma).float() - (clean - skip * noisy) / share).square().mean()

    compiled = torch.compile(loss_of, dynamic=False) if args.compile else loss_of
    usual = torch.ones((), device=device)
    total, steps, step, curve = torch.zeros((), device=device), 0, 0, []

    def record():
        nonlocal steps
        psnr = averaged.serve(lambda: validate(network, held))
        row = [step, time.time() - began, total.item() / max(steps, 1), *psnr]
        total.zero_()
        steps = 0
        curve.append([row[0], *(round(v, 4) for v in row[1:])])
        print(f"step {step}, {row[1]:.0f} s, loss {row[2]:.4f}, dB " + " ".join(f"{v:.2f}" for v in psnr), flush=True)
        path = os.path.join(args.out, "prior.safetensors")
        averaged.serve(lambda: save(path, network.named(), {"steps": str(step)}))
        with open(os.path.join(args.out, "curve.csv"), "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "seconds", "loss", *(f"psnr_db_{level}" for level in VALIDATED)])
            writer.writerows(curve)

    shown = 0.1
    while (done := (time.time() - began) / args.seconds) < 1:
        rate = args.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = rate
        other = lengths.random() < args.other_lengths
        frames = int(lengths.choice(OTHER_LENGTHS)) if other else pool.shape[1]
        with torch.no_grad():
            clean = examples(pool, args.batch, (frames, args.size, args.size), generator) - MID_GREY
            sigma = levels(args.batch, args.middle, args.spread, generator, device)
            noise = torch.randn(clean.shape, generator=generator, device=device)
            noisy = clean + sigma.view(-1, 1, 1, 1) * noise
        half = fast and done < 1 - args.precise
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = (compiled if half and not other else loss_of)(clean, noisy, sigma)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        with torch.no_grad():
            # A step that blows up is not taken; asking whether it does would wait for the GPU.
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            sound = (loss < 4 * usual) & norm.isfinite()
            for p in parameters:
                p.grad.nan_to_num_(0, 0, 0).mul_(sound)
            usual.copy_(torch.where(sound, 0.98 * usual + 0.02 * loss, usual))
            total += loss
        optimiser.step()
        averaged.follow()
        step, steps = step + 1, steps + 1
        if done > shown:
            shown = done + 0.1
            record()
    record()


main()
