#!/usr/bin/env python3
"""Damages the files of formats.py and asks postkamer what it makes of them: never a stop, and never clean while a reader could still see the number.

    damage.py SEED ROUNDS FOLDER POSTKAMER

FOLDER holds what `formats.py` wrote. Each round damages every small `yes-` file in one way: cut off, bytes changed, a stretch taken from
another file, a stretch of zeros, two stretches swapped, members of a zip swapped. A result is false when it is clean though the number
still stands beside its label in the bytes, packed or not. Prints the counts by way of damage; exits 1 on a false result or a missing one.
"""
import collections, io, json, os, random, re, subprocess, sys, tempfile, zipfile, zlib
from pathlib import Path


def cut(data, other, random):
    return data[: random.randrange(1, len(data))]


def change(data, other, random):
    data = bytearray(data)
    for _ in range(1 + len(data) // 500):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def splice(data, other, random):
    at, length = random.randrange(len(data)), random.randrange(1, 2000)
    start = random.randrange(len(other))
    return data[:at] + other[start:start + length] + data[at:]


def zero(data, other, random):
    at, length = random.randrange(len(data)), random.randrange(1, 600)
    return data[:at] + bytes(len(data[at:at + length])) + data[at + length:]


def swap(data, other, random):
    a, b, c = sorted(random.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def members(data, other, random):
    """The names of a zip stand at each other's content."""
    if not data.startswith(b"PK\3\4"):
        return swap(data, other, random)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old:
            contents = {info.filename: old.read(info) for info in old.infolist()}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return swap(data, other, random)
    names = list(contents)
    a, b = random.choice(names), random.choice(names)
    contents[a], contents[b] = contents[b], contents[a]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in names:
            new.writestr(name, contents[name])
    return out.getvalue()


WAYS = [cut, change, splice, zero, swap, members]


def shown(data, depth=0):
    """The bytes, and whatever can be unpacked from them, as far as it goes."""
    yield data
    if depth > 3:
        return
    for mark, wbits, skip in ((b"PK\3\4", -15, None), (b"stream", 15, 6), (b"\x1f\x8b\x08", 31, 0)):
        for found in re.finditer(re.escape(mark), data):
            start = found.start() + (30 + int.from_bytes(data[found.start() + 26:found.start() + 28], "little") + int.from_bytes(data[found.start() + 28:found.start() + 30], "little") if skip is None else skip)
            if skip == 6:
                start += len(data[start:start + 2]) - len(data[start:start + 2].lstrip(b"\r\n"))
            try:
                unpacked = zlib.decompressobj(wbits).decompress(data[start:], 4_000_000)
            except zlib.error:
                continue
            if unpacked:
                yield from shown(unpacked, depth + 1)


def labelled(data):
    """Numbers that stand right behind their label."""
    numbers = set()
    for part in shown(data):
        for text in (part, part.replace(b"\0", b""), re.sub(rb"<[^>]*>", b"", part)):
            numbers |= set(re.findall(rb"(?<![A-Za-z])BSN[:; \"'>=]{1,4}(\d{9})(?!\d)", text))
    return numbers


def main():
    seed, rounds, folder, postkamer = random.Random(int(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    # Reading pictures takes a second each, and their damage is seen by the decoder: the other formats are many.
    slow = {".png", ".jpg", ".gif", ".bmp", ".tiff", ".webp"}
    files = [path for path in sorted(folder.glob("yes-*")) if path.suffix not in slow and not re.search("picture|scan|alternative", path.name) and path.stat().st_size < 200_000]
    counts, false = collections.Counter(), []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as made:
            for path in files:
                data, other = path.read_bytes(), seed.choice(files).read_bytes()
                way = seed.choice(WAYS)
                Path(made, f"{way.__name__}-{path.name}").write_bytes(way(data, other, seed))
            ran = subprocess.run([postkamer, "screen", "--json", made], capture_output=True, text=True)
            results = [json.loads(line) for line in ran.stdout.splitlines()]
            if ran.returncode not in (0, 1) or len(results) != len(files):
                print(f"stopped: exit status {ran.returncode}, {len(results)} of {len(files)} files", file=sys.stderr)
                sys.exit(1)
            for result in results:
                name = os.path.basename(result["file"])
                counts[name.split("-")[0], result["outcome"]] += 1
                if result["outcome"] == "clean":
                    original = labelled((folder / name.split("-", 1)[1]).read_bytes())
                    if original & labelled(Path(result["file"]).read_bytes()):
                        false.append(name)
                        keep = folder.parent / "false"
                        keep.mkdir(exist_ok=True)
                        Path(result["file"]).rename(keep / f"{number}-{name}")
    print(f"{'damage':10} {'citizen-data':>12} {'unreadable':>11} {'clean':>7}")
    for way in WAYS:
        row = [counts[way.__name__, outcome] for outcome in ("citizen-data", "unreadable", "clean")]
        print(f"{way.__name__:10} {row[0]:>12} {row[1]:>11} {row[2]:>7}")
    print(f"clean though the number can be seen: {len(false)}")
    for name in sorted(false):
        print(f"  {name}", file=sys.stderr)
    sys.exit(1 if false else 0)


if __name__ == "__main__":
    main()
