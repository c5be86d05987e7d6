#!/usr/bin/env python3
"""Checks proofs and exports of the audit log with Python's library and the openssl command alone.

Usage: verify_audit.py proof PROOF.json PUBLIC.pem      (of `jikji audit prove`)
       verify_audit.py export EXPORT.jsonl PUBLIC.pem   (of `jikji audit export`)
It shares no code with jikji: written from docs/audit.md and RFC 9162.
"""
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile


def leaf_hash(record):
    return hashlib.sha256(b"\0" + record).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def inclusion_root(leaf, index, size, proof):
    """The root that the proof leads to, by the recursive definition of RFC 9162, 2.1.3.1."""
    if size == 1:
        assert not proof, "the proof is too long"
        return leaf
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        return node_hash(inclusion_root(leaf, index, split, proof[:-1]), proof[-1])
    return node_hash(proof[-1], inclusion_root(leaf, index - split, size - split, proof[:-1]))


def consistency_roots(old_size, size, proof, old_root, whole=True):
    """(old root, new root) that the proof leads to, by the definition of RFC 9162, 2.1.4.1."""
    if old_size == size:
        if whole:
            return old_root, old_root
        assert len(proof) == 1, "the proof has the wrong length"
        return proof[0], proof[0]
    split = 1 << ((size - 1).bit_length() - 1)
    if old_size <= split:
        old, new = consistency_roots(old_size, split, proof[:-1], old_root, whole)
        return old, node_hash(new, proof[-1])
    old, new = consistency_roots(old_size - split, size - split, proof[:-1], old_root, False)
    return node_hash(proof[-1], old), node_hash(proof[-1], new)


def check_signature(head, public_key):
    message = (b"jikji audit head v1\n" + struct.pack("<QQ", head["size"], head["time"])
               + bytes.fromhex(head["root"]))
    with tempfile.NamedTemporaryFile() as text, tempfile.NamedTemporaryFile() as signature:
        text.write(message)
        text.flush()
        signature.write(bytes.fromhex(head["signature"]))
        signature.flush()
        subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public_key, "-rawin", "-in", text.name,
             "-sigfile", signature.name], check=True, stdout=subprocess.DEVNULL)


def check_proof(proof, public_key):
    head = proof["head"]
    root = bytes.fromhex(head["root"])
    check_signature(head, public_key)
    hashes = [bytes.fromhex(item) for item in proof["inclusion"]]
    leaf = leaf_hash(base64.b64decode(proof["record"]))
    assert proof["index"] < head["size"], "the head does not cover the record"
    assert inclusion_root(leaf, proof["index"], head["size"], hashes) == root, "inclusion is not proved"
    if "since" in proof:
        since = proof["since"]
        old_root = bytes.fromhex(since["root"])
        hashes = [bytes.fromhex(item) for item in since["consistency"]]
        assert consistency_roots(since["size"], head["size"], hashes, old_root) == (old_root, root), \
            "consistency is not proved"


def check_pack(pack, public_key):
    assert pack["records"], "the pack is empty"
    for proof in pack["records"]:
        check_proof({**proof, "head": pack["head"]}, public_key)


def check_export(lines, public_key):
    leaves, head = [], None
    last = {}  # tenant: (count, leaf)
    for line in lines:
        entry = json.loads(line)
        if "head" in entry:
            head = entry["head"]
            continue
        record = base64.b64decode(entry["record"])
        _, index, _, tenant_index, previous = struct.unpack_from("<BQQQ32s", record)
        assert index == len(leaves) == entry["index"], f"record {index} is out of its place"
        count, chained = last.get(entry["tenant"], (0, bytes(32)))
        assert (tenant_index, previous) == (count, chained), f"record {index} breaks its tenant's chain"
        leaves.append(leaf_hash(record))
        last[entry["tenant"]] = (count + 1, leaves[-1])
    assert head is not None, "there is no signed head"
    check_signature(head, public_key)
    assert tree_root(leaves[:head["size"]]).hex() == head["root"], "the root is not the one that was signed"


def main():
    kind, path, public_key = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        if kind == "proof":
            check_proof(json.load(file), public_key)
        elif kind == "pack":
            check_pack(json.load(file), public_key)
        else:
            check_export(file, public_key)
    print("verified")


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, subprocess.CalledProcessError, ValueError, KeyError, IndexError) as problem:
        sys.exit(f"not verified: {problem}")
