"""A second reader of images, written from docs/image-format.md alone. Reads lines of JSON from standard input, each a chain of
images with what is in them (crate/core/examples/write_image.rs), and prints disagreements and `N passed, M failed`."""

import hashlib
import json
import re
import struct
import sys
import zlib

PAGE = 4096
MASK = (1 << 64) - 1


def xxh64(data):
    """XXH64 with seed 0 (xxHash's specification, doc/xxhash_spec.md)."""
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def rotate(value, by):
        return (value << by | value >> (64 - by)) & MASK

    def round_(accumulator, lane):
        return rotate((accumulator + lane * p2) & MASK, 31) * p1 & MASK

    at = 0
    if len(data) >= 32:
        lanes = [(p1 + p2) & MASK, p2, 0, -p1 & MASK]
        end = len(data) // 32 * 32
        for stripe in struct.iter_unpack("<4Q", data[:end]):
            lanes = [round_(lane, word) for lane, word in zip(lanes, stripe)]
        at = end
        value = sum(rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            value = ((value ^ round_(0, lane)) * p1 + p4) & MASK
    else:
        value = p5
    value = (value + len(data)) & MASK
    while at + 8 <= len(data):
        value ^= round_(0, int.from_bytes(data[at : at + 8], "little"))
        value = (rotate(value, 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= len(data):
        value ^= int.from_bytes(data[at : at + 4], "little") * p1 & MASK
        value = (rotate(value, 23) * p2 + p3) & MASK
        at += 4
    for byte in data[at:]:
        value = rotate(value ^ byte * p5 & MASK, 11) * p1 & MASK
    value = (value ^ value >> 33) * p2 & MASK
    value = (value ^ value >> 29) * p3 & MASK
    return value ^ value >> 32


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, length):
        assert self.at + length <= len(self.data), "the values end too early"
        self.at += length
        return self.data[self.at - length : self.at]

    def tag(self, last):
        (value,) = self.take(1)
        assert value <= last, "a tag that is none"
        return value

    def bool(self):
        return bool(self.tag(1))

    def u(self, bits=64):
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                assert byte or shift == 7, "a longer form of a number"
                assert value < 1 << bits, "a number that is too large"
                return value

    def u32(self):
        return self.u(32)

    def i(self, bits=64):
        value = self.u(bits)
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def i32(self):
        return self.i(32)

    def f64(self):
        return struct.unpack("<d", self.take(8))[0]

    def hash(self):
        return self.take(32).hex()

    def bytes(self):
        return self.take(self.u())

    def text(self):
        return self.bytes().decode()

    def option(self, value):
        return value() if self.bool() else None

    def list(self, value):
        return [value() for _ in range(self.u())]

    def map(self, key, value):
        pairs = [[key(), value()] for _ in range(self.u())]
        order = [name.encode() if isinstance(name, str) else name for name, _ in pairs]
        assert all(left < right for left, right in zip(order, order[1:])), "keys that do not ascend"
        return pairs

    def runs(self):
        runs, end = [], 0
        for number in range(self.u()):
            gap, count = self.u32(), self.u32()
            assert count and (gap or not number), "runs that touch"
            runs.append((end + gap, count))
            end += gap + count
            assert end <= 1 << 20, "a run that is too high"
        return runs

    def end(self):
        assert self.at == len(self.data), "something behind the values"


def read_identity(r):
    return [
        r.text(), r.hash(), r.text(), r.text(), r.hash(), r.hash(), r.hash(), r.map(r.text, r.text),
        r.map(r.text, lambda: [r.text(), r.hash()]),
    ]  # fmt: skip


def read_chunk(r):
    compression, stored, length = r.tag(1), r.u(), r.u()
    checksum = int.from_bytes(r.take(8), "little")
    sha256, runs = r.hash(), r.runs()
    assert length and (stored == length if not compression else length <= 1032 * stored)
    return compression, stored, length, checksum, sha256, runs


def read_place(r):
    tag = r.tag(2)
    fields = [[r.u32, r.text], [r.text], [r.text, r.u, r.hash]][tag]
    place = [tag] + [field() for field in fields]
    if tag == 2:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", place[1]), "a path that leads away"
    return place


def read_module(r):
    names, handles, sha256 = r.list(r.text), r.list(r.u32), r.hash()
    where = read_place(r)
    numbers = [r.u32() for _ in range(4)]
    references, flags = r.option(r.u32), [r.bool() for _ in range(3)]
    return [names, handles, sha256, where, numbers, references, flags, r.list(r.u32)]


def read_entry(r):
    tag = r.tag(4)
    fields = {0: [], 1: [r.text], 2: [r.u32, r.text], 3: [r.text, r.text], 4: [r.text]}[tag]
    return [tag] + [field() for field in fields]


def read_node(r):
    node = [r.u32(), r.u32(), r.text(), r.u32(), [r.f64(), r.f64(), r.f64()], r.option(r.u32)]
    tag = r.tag(5)
    fields = [[], [r.text], [r.u32], [r.u, r.u], [r.u32, r.u, r.u], [r.u32, r.u, r.u, r.u, r.u32]][tag]
    return node + [[tag] + [field() for field in fields]]


def read_manifest(data):
    r = Reader(data)
    manifest = {
        "archives": r.list(lambda: [r.hash(), r.u(), r.text()]),
        "layers": r.map(r.u32, lambda: [r.text(), r.text(), r.option(r.u32)]),
        "files": [r.u32(), r.u32(), r.list(lambda: read_node(r))],
        "modules": r.list(lambda: read_module(r)),
        "table_length": r.u32(),
        "table": r.map(r.u32, lambda: read_entry(r)),
        "free_slots": r.list(r.u32),
        "functions": r.map(r.text, r.i32),
        "data": r.map(r.text, r.i32),
        "numbers": r.map(r.text, r.i),
        "states": r.map(r.text, lambda: r.bytes().hex()),
    }
    r.end()
    return manifest


def read_image(image, memory):
    """What is in an image, and the memory that it makes of its parent's."""
    assert image[:8] == b"\x89TAIPAN\n", "not an image"
    version, head_length, length = struct.unpack_from("<IIQ", image, 8)
    assert version == 2 and length == len(image)
    head = image[:head_length]
    name = head[24:56].hex()
    assert hashlib.sha256(head[:24] + head[56:]).hexdigest() == name, "the head's hash"
    r = Reader(head, 56)
    identity, parent, memory_length, zeroed = read_identity(r), r.option(r.hash), r.u(), r.runs()
    parts = r.list(lambda: (r.tag(4), r.text(), r.list(lambda: read_chunk(r))))
    r.end()
    assert parts[0][0] == 0 and len({part[1] for part in parts}) == len(parts)

    memory = memory[:memory_length] + bytes(memory_length - len(memory))
    memory = bytearray(memory if parent else memory_length)
    for first, count in zeroed:
        memory[first * PAGE : (first + count) * PAGE] = bytes(count * PAGE)
    at, contents = head_length, {}
    for kind, part, chunks in parts:
        contents[part] = b""
        end = 0
        for compression, stored, length, checksum, sha256, runs in chunks:
            data = image[at : at + stored]
            at += stored
            assert hashlib.sha256(data).hexdigest() == sha256, "a chunk's SHA-256"
            assert xxh64(data) == checksum, "a chunk's XXH64"
            if compression:
                inflater = zlib.decompressobj(-15)
                data = inflater.decompress(data)
                assert inflater.eof and not inflater.unused_data
            assert len(data) == length
            contents[part] += data
            assert kind == 1 or not runs
            offset = 0
            for first, count in runs:
                assert first >= end, "runs that do not ascend"
                end = first + count
                memory[first * PAGE : end * PAGE] = data[offset : offset + count * PAGE]
                offset += count * PAGE
            assert kind != 1 or offset == length
    assert at == len(image) and len(memory) == memory_length
    described = {
        "id": name,
        "parent": parent,
        "identity": identity,
        "manifest": read_manifest(contents.pop(parts[0][1])),
        "parts": [[part, hashlib.sha256(contents[part]).hexdigest()] for kind, part, _ in parts if kind > 1],
        "memory": [memory_length, hashlib.sha256(memory).hexdigest()],
    }
    return described, bytes(memory)


def main():
    passed = failed = 0
    assert xxh64(b"") == 0xEF46DB3751D8E999 and xxh64(b"a") == 0xD24EC4F1A98C6E5B
    for number, line in enumerate(sys.stdin):
        memory = b""
        for index, case in enumerate(json.loads(line)):
            try:
                described, memory = read_image(bytes.fromhex(case["image"]), memory)
                wrong = [key for key, value in case["expected"].items() if described[key] != value]
            except (AssertionError, UnicodeDecodeError, ValueError, zlib.error) as error:
                wrong = [repr(error)]
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong:
                print(f"image {index} of chain {number}: {', '.join(wrong)}")
    print(f"{passed} passed, {failed} failed")
    # Nothing to read is a failure of whoever should have written it.
    sys.exit(1 if failed or not passed else 0)


main()
