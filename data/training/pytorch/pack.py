"""Packs a pool of clips (NPY, bytes) into H.264, to about a seventh of its size.

pack.py POOL.npy OUT.mp4 [CRF]

Clips lie side by side in every frame; OUT.mp4.json says how.
"""

import json
import subprocess
import sys

import numpy as np

ACROSS, DOWN = 20, 15


def main():
    source, out = sys.argv[1:3]
    crf = sys.argv[3] if len(sys.argv) > 3 else "10"
    pool = np.load(source, mmap_mode="r")
    count, frames, side, _ = pool.shape
    with open(out + ".json", "w") as file:
        json.dump({"side": side, "frames": frames, "across": ACROSS, "down": DOWN, "clips": count}, file)
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray"]
    command += ["-s", f"{ACROSS * side}x{DOWN * side}", "-r", "25", "-i", "-"]
    command += ["-vf", "scale=in_range=pc:out_range=pc,format=yuvj420p", "-c:v", "libx264", "-crf", crf]
    # Each set begins with a key frame.
    command += ["-g", str(frames), "-keyint_min", str(frames), "-sc_threshold", "0"]
    command += ["-x264-params", "open-gop=0", "-color_range", "pc", out]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for first in range(0, count, ACROSS * DOWN):
        clips = np.zeros((ACROSS * DOWN, frames, side, side), np.uint8)
        some = pool[first : first + ACROSS * DOWN]
        clips[: len(some)] = some
        mosaic = clips.reshape(DOWN, ACROSS, frames, side, side).transpose(2, 0, 3, 1, 4)
        encoder.stdin.write(np.ascontiguousarray(mosaic).tobytes())
    encoder.stdin.close()
    sys.exit(encoder.wait())


main()
