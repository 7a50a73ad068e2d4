#!/usr/bin/env python3
"""Holds Cargo.lock to deny.toml where cargo-deny is not installed.

Owns the rules that deny.toml writes: banned crates, wildcard versions, licences of what is shipped, sources. Leaves
advisories and the rest to cargo-deny. What it does not understand in deny.toml it refuses, so that the
two can not come apart unnoticed. Needs Python 3.11 and cargo; prints each fault, exits 1 if there is one.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def numbers(text):
    """`1.2.3-rc.1+x` as [1, 2, 3]; a pre-release counts as its release."""
    return [int(part) for part in re.split(r"[-+]", text)[0].split(".")]


def banned(rule, package):
    """Whether a `name` or `name@<=version` of deny.toml means this package."""
    name, _, bound = rule.partition("@")
    if bound and not re.fullmatch(r"<=\d+(\.\d+){1,2}", bound):
        sys.exit(f"deny.toml: {rule}: this check knows `name` and `name@<=1.2.3` only")
    if package["name"] != name:
        return False
    last = numbers(bound[2:]) if bound else []
    return not bound or numbers(package["version"])[: len(last)] <= last


def shipped(metadata):
    """The ids of what is built into the program: all but what tests alone use."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, rest = set(), [metadata["resolve"]["root"]]
    while rest:
        package = rest.pop()
        if package not in found:
            found.add(package)
            rest += [
                dependency["pkg"]
                for dependency in nodes[package]["deps"]
                if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
            ]
    return found


def permitted(expression, allow):
    """Whether an SPDX expression can be met from `allow`. `/` is the old spelling of OR."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    python = []
    for index, word in enumerate(words):
        if word in ("(", ")"):
            python.append(word)
        elif word in ("AND", "OR"):
            python.append(word.lower())
        elif word == "WITH" or words[index - 1] == "WITH":
            continue  # an exception only gives more rights
        else:
            python.append(str(word in allow))
    return eval(" ".join(python), {"__builtins__": {}})  # noqa: S307: brackets, and, or, True, False


def faults(rules, metadata):
    """Every fault, as one line each."""
    registries = {f"registry+{address}" for address in rules["sources"]["allow-registry"]}
    in_program = shipped(metadata)
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        for ban in rules["bans"]["deny"]:
            if banned(ban["crate"], package):
                yield f"{name} is banned: {ban['reason']}"
        if package["id"] not in in_program:
            pass
        elif not package["license"]:
            yield f"{name} names no licence"
        elif not permitted(package["license"], set(rules["licenses"]["allow"])):
            yield f"{name} is under {package['license']}, which deny.toml does not allow"
        if package["source"] is None:
            for dependency in package["dependencies"]:
                if dependency["req"] == "*" and dependency.get("path") is None:
                    yield f"{name} takes any version of {dependency['name']}"
        elif package["source"] not in registries:
            yield f"{name} comes from {package['source']}"


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    found = list(faults(rules, metadata))
    for fault in found:
        print(fault)
    print(f"{len(metadata['packages'])} packages, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
