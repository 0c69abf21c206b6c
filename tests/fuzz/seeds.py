#!/usr/bin/python3
"""Packs a folder of seeds into one file, and unpacks it again.

usage: seeds.py pack FOLDER FILE      FILE becomes the files of FOLDER, in the order of their names
       seeds.py unpack FILE FOLDER    writes each seed of FILE to FOLDER under its name

A packed file holds for each seed the line `NAME LENGTH`, then LENGTH bytes, then a line end.
"""
import sys
from pathlib import Path


def read(path):
    """Name and bytes of each seed of a packed file, in its order."""
    packed = Path(path).read_bytes()
    seeds, at = [], 0
    while at < len(packed):
        end = packed.index(b"\n", at)
        name, length = packed[at:end].decode("ascii").split(" ")
        at = end + 1 + int(length) + 1
        if at > len(packed) or packed[at - 1:at] != b"\n" or "/" in name or name.startswith("."):
            raise ValueError(f"{path}: seed {len(seeds) + 1} is damaged")
        seeds.append((name, packed[end + 1:at - 1]))
    return seeds


def pack(folder, path):
    packed = bytearray()
    for file in sorted(Path(folder).iterdir()):
        data = file.read_bytes()
        packed += f"{file.name} {len(data)}\n".encode("ascii") + data + b"\n"
    Path(path).write_bytes(packed)


def unpack(path, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, data in read(path):
        (Path(folder) / name).write_bytes(data)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    (pack if sys.argv[1] == "pack" else unpack)(sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
