#!/usr/bin/env python3
"""Fails on an include in a wrong direction, and on one of <cstdint> or <algorithm> that is missing: prints one line for
each, and exits with 1.

check_includes.py [--root DIR]   checks the tree
check_includes.py --self-test    checks this checker, on trees with wrong includes
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

# For each room, longest prefix first: the rooms whose headers its files may include. Own headers need no entry.
ROOMS = {
    "kernels/cpu": ("kernels", "graph"),
    "kernels/cuda": ("kernels", "graph"),
    "kernels": ("graph",),
    "graph": (),
    "frontend": ("graph",),
    "engine": ("graph", "kernels", "kernels/cpu", "kernels/cuda"),
    "tools/benchmarks": ("graph", "frontend", "engine", "kernels", "kernels/cpu", "kernels/cuda"),
    "tools": ("graph", "frontend", "engine", "kernels"),
    "tests": ("graph", "frontend", "engine", "kernels", "kernels/cpu", "kernels/cuda", "tools"),
    "": ("graph", "frontend", "engine", "kernels"),
}

# Other people's headers: which they are, and the rooms that may include them.
LIBRARIES = {
    "nlohmann/json": (r"nlohmann/", ("frontend", "engine", "tools", "tests")),
    "oneDNN": (r"(oneapi/)?dnnl", ("kernels/cpu",)),
    "CUDA": (r"(cuda|cudnn|cublas|nvrtc|nvml|thrust/|cub/|cutlass/|cute/)", ("kernels/cuda",)),
    "oneTBB": (r"(oneapi/)?tbb[/.]", ("engine", "kernels/cpu", "tools/benchmarks", "tests")),
    "zlib": (r"zlib\.h", ("frontend", "tools", "tests")),
    "CLI11": (r"CLI/", ("tools",)),
    "libspng": (r"spng\.h", ("frontend", "tools", "tests")),
    "libjpeg": (r"(jpeglib|jconfig|jerror|jmorecfg)\.h", ("frontend", "tools", "tests")),
    "doctest": (r"doctest", ("tests",)),
    "Google Benchmark": (r"benchmark/", ("tools/benchmarks",)),
    "<seq/...>, the installed name,": (r"seq/", ("tools", "tests")),
}

# What makes every file that includes a header slow to compile; a library's headers forward-declare instead.
HEAVY = re.compile(r"(nlohmann/json\.hpp|CLI/|(oneapi/)?dnnl\.h|regex$|iostream$)")
LIGHT_ROOMS = ("graph", "frontend", "engine", "kernels")

GRAPH_ALLOWED = re.compile(r"(fmt/.*|[a-z_0-9]+)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
INCLUDES = re.compile(INCLUDE.pattern, re.MULTILINE)
# Names of headers that others of the standard library bring along in some of its releases and not in later ones.
NEEDED = {
    "<cstdint>": r"\bu?int(8|16|32|64|ptr|max)_t\b",
    "<algorithm>": r"\bstd::(all_of|any_of|none_of|for_each|find|find_if|count|count_if|copy_n|copy_if|transform|replace|reverse"
    r"|rotate|unique|remove_if|generate|sort|stable_sort|partial_sort|nth_element|is_sorted|partition|stable_partition"
    r"|binary_search|upper_bound|min_element|max_element|minmax_element|includes|shuffle|clamp)\(",
}
NEEDED = {header: re.compile(rf"^(?!\s*//).*{names}", re.MULTILINE) for header, names in NEEDED.items()}
SKIPPED = re.compile(r"^(\.|build)")


def room_of(path):
    """The room of a file or of an included header, by its path from the root."""
    for room in ROOMS:
        if room and path.startswith(room + "/"):
            return room
    return ""


def sources(root):
    for pattern in ("*.hpp", "*.cpp", "*.h", "*.cu", "*.cuh"):
        for path in root.rglob(pattern):
            if not any(SKIPPED.match(part) for part in path.relative_to(root).parts):
                yield path


def fault_of(root, path, quote, header):
    """What is wrong with this include, or None."""
    file = path.relative_to(root).as_posix()
    room = room_of(file)
    if quote == '"':
        target = room_of(header)
        if not (root / header).is_file():
            return f'"{header}" is no header of the tree, written from its root'
        if target != room and target not in ROOMS[room]:
            return f'{room or "the top header"} may not include {target or "the top header"}: "{header}"'
        return None
    for name, (pattern, rooms) in LIBRARIES.items():
        if re.match(pattern, header) and room not in rooms:
            return f"{name} only in {', '.join(rooms)}: <{header}>"
    if room == "graph" and not GRAPH_ALLOWED.match(header):
        return f"graph stands on the standard library and fmt alone: <{header}>"
    if path.suffix == ".hpp" and room in LIGHT_ROOMS and HEAVY.match(header):
        return f"too heavy for a header, declare forward instead: <{header}>"
    return None


def reaches(root, path, wanted, seen):
    """Whether a file includes this header, itself or through headers of the tree."""
    if path in seen or not path.is_file():
        return False
    seen.add(path)
    for quote, header in INCLUDES.findall(path.read_text(encoding="utf-8")):
        installed = header.removeprefix("seq/")
        if quote == "<" and installed == header:
            if f"<{header}>" == wanted:
                return True
        elif reaches(root, root / installed, wanted, seen):
            return True
    return False


def check(root):
    faults = []
    for path in sorted(sources(root)):
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            fault = match and fault_of(root, path, *match.groups())
            if fault:
                faults.append(f"{path.relative_to(root)}:{number}: {fault}")
        for header, names in NEEDED.items():
            use = names.search(text)
            if use and not reaches(root, path, header, set()):
                line = text.count("\n", 0, use.end()) + 1
                faults.append(f"{path.relative_to(root)}:{line}: takes {header} for included, by itself or headers of the tree")
    return faults


WRONG = {
    "graph/a.cpp": ['"kernels/k.hpp"', '"engine/e.hpp"', "<nlohmann/json.hpp>", "<zlib.h>", "<tbb/task_arena.h>", '"a.hpp"'],
    "kernels/b.cpp": ['"engine/e.hpp"', '"kernels/cpu/c.hpp"', "<dnnl.hpp>", "<nlohmann/json_fwd.hpp>", "<cuda_runtime.h>"],
    "kernels/reference/r.cpp": ["<oneapi/dnnl/dnnl.h>", '"kernels/cpu/c.hpp"'],
    "kernels/cpu/d.cpp": ["<cudnn.h>", '"engine/e.hpp"', "<nlohmann/json.hpp>"],
    "kernels/cuda/g.cpp": ['"kernels/cpu/c.hpp"', "<dnnl.hpp>"],
    "engine/h.cpp": ['"frontend/f.hpp"', "<dnnl.hpp>", "<seq/seq.hpp>"],
    "frontend/i.cpp": ['"kernels/k.hpp"', '"engine/e.hpp"', "<dnnl.hpp>"],
    "frontend/j.hpp": ["<nlohmann/json.hpp>", "<iostream>", "<regex>"],
    "tools/seqc/m.cpp": ["<dnnl.hpp>", '"kernels/cpu/c.hpp"', '"tests/t.hpp"'],
    "kernels/v.hpp": ["std::int64_t v();"],
    "tests/x.cpp": ["void x(int* a, int* b) { std::sort(a, b); }"],
    "tests/w.cpp": ["auto w = reinterpret_cast<std::uintptr_t>(&main);  // <cstdint>"],
}
RIGHT = {
    "graph/g.hpp": ["<vector>", "<fmt/format.h>"],
    "kernels/k.hpp": ['"graph/g.hpp"'],
    "kernels/reference/s.cpp": ['"kernels/k.hpp"', "<cmath>"],
    "kernels/cpu/c.hpp": ['"kernels/k.hpp"', '"graph/g.hpp"'],
    "kernels/cpu/n.cpp": ['"kernels/cpu/c.hpp"', "<oneapi/dnnl/dnnl.hpp>", "<tbb/parallel_for.h>"],
    "kernels/cuda/u.cpp": ["<cudnn.h>", '"kernels/k.hpp"'],
    "engine/e.hpp": ['"kernels/k.hpp"', '"graph/g.hpp"'],
    "frontend/f.hpp": ['"graph/g.hpp"', "<nlohmann/json_fwd.hpp>"],
    "frontend/o.cpp": ['"frontend/f.hpp"', "<nlohmann/json.hpp>", "<zlib.h>"],
    "tools/seqc/p.cpp": ['"frontend/f.hpp"', '"engine/e.hpp"', "<CLI/CLI.hpp>", "<spng.h>"],
    "tests/t.hpp": ['"kernels/cpu/c.hpp"', "<doctest/doctest.h>"],
    "seq.hpp": ['"frontend/f.hpp"', '"engine/e.hpp"', '"graph/q.hpp"'],
    "graph/q.hpp": ["<cstdint>", "std::int64_t q();"],
    "kernels/q.cpp": ['"kernels/r.hpp"', "std::int64_t r = q();"],
    "kernels/r.hpp": ['"graph/q.hpp"'],
    "tools/examples/s.cpp": ["<seq/seq.hpp>", "std::uint8_t s = 0;"],
    "tests/y.cpp": ["<algorithm>", "void y(int* a, int* b) { std::sort(a, b); }"],
    "kernels/t.hpp": ["// of std::int64_t"],
    "build/x.cpp": ['"nowhere.hpp"'],
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for file, lines in {**WRONG, **RIGHT}.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text("".join(f"#include {it}\n" if it[0] in '<"' else f"{it}\n" for it in lines))
        found = {fault.split(": ")[0] for fault in check(root)}
        expected = {f"{file}:{line}" for file, lines in WRONG.items() for line in range(1, len(lines) + 1)}
    for place in sorted(expected - found):
        print(f"self-test: not found: {place}")
    for place in sorted(found - expected):
        print(f"self-test: wrongly found: {place}")
    return found == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return 0 if self_test() else 1
    faults = check(options.root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
