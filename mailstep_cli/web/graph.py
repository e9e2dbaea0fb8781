"""Lays out a workflow as a layered graph, from its definition (Amazon States Language), and marks what happened."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mailstep_cli.history import Timeline
from mailstep_cli.timeline_view import word_of

_WIDTH, _HEIGHT, _GAP, _BETWEEN = 150, 34, 14, 40
"""Of a state, and the space beside it and below it, in pixels."""
_LANE = 14
"""Width of the place that an edge takes where it passes a layer."""
_SWEEPS = 8
_STATES = 300
"""States that are drawn, at most: a definition has 1 MB."""


@dataclass(frozen=True)
class Edge:
    """A transition of the definition. `caught` is that of a Catch."""

    source: str
    target: str
    caught: bool = False


@dataclass(frozen=True)
class Box:
    """A state where it is drawn: its left upper corner, and what happened to it.

    `word` says how its last attempt ended (`timeline_view.word_of`); `attempts` are those of all its visits.
    """

    name: str
    x: int
    y: int
    word: str = ""
    attempts: int = 0


@dataclass(frozen=True)
class Line:
    """An edge as it is drawn: `path` is SVG's path data."""

    edge: Edge
    path: str
    taken: bool = False


@dataclass(frozen=True)
class Graph:
    """A workflow as it is drawn."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    box_width: int = _WIDTH
    box_height: int = _HEIGHT


@dataclass
class _Layers:
    """The nodes of each layer, in order. A node is the name of a state, or an edge that passes the layer."""

    rows: list[list[str | Edge]] = field(default_factory=list)
    chains: dict[Edge, list[str | Edge]] = field(default_factory=dict)
    """The nodes that an edge passes, from the upper one to the lower one."""


def lay_out(definition: dict[str, Any], line: Timeline | None = None) -> Graph:
    """Draw a workflow. With a timeline, its states have what happened to them, and the taken path is marked.

    The layers are those of the longest path from the first state; an edge that goes back is drawn upwards.
    """
    names = list(definition["States"])[:_STATES]
    edges = [one for one in _edges(definition) if one.source in names and one.target in names]
    rank = _ranks(definition["StartAt"], names, edges)
    layers = _ordered(_layers(names, edges, rank), edges)
    places, width = _places(layers, _main_path(definition["StartAt"], names, edges))
    words, attempts = _words(line), _attempts(line)
    taken = _taken(line)
    height = len(layers.rows) * (_HEIGHT + _BETWEEN) - _BETWEEN + 2 * _GAP
    boxes = tuple(Box(name, places[name][0], places[name][1], words.get(name, ""), attempts[name]) for name in names)
    lines = [
        Line(edge, _path(edge, layers.chains[edge], places, rank), (edge.source, edge.target) in taken)
        for edge in edges
    ]
    # Taken edges are drawn last, above the others.
    return Graph(width, height, boxes, tuple(sorted(lines, key=lambda one: one.taken)))


def _edges(definition: dict[str, Any]) -> Iterator[Edge]:
    """The transitions, each pair of states once: a Catch shows only where nothing else leads there."""
    seen: set[tuple[str, str]] = set()
    for caught in (False, True):
        for name, state in definition["States"].items():
            ordinary = [state.get("Next"), *(one.get("Next") for one in state.get("Choices", [])), state.get("Default")]
            for target in [one.get("Next") for one in state.get("Catch", [])] if caught else ordinary:
                if target and (name, target) not in seen:
                    seen.add((name, target))
                    yield Edge(name, target, caught)


def _ranks(start: str, names: list[str], edges: list[Edge]) -> dict[str, int]:
    """The layer of each state: one below all that lead to it, without the edges that close a circle."""
    targets: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        targets[edge.source].append(edge.target)
    order: list[str] = []
    back: set[tuple[str, str]] = set()
    done: set[str] = set()
    for root in (start, *names):
        if root in done:
            continue
        path, open_ = [(root, iter(targets[root]))], {root}
        while path:
            name, following = path[-1]
            target = next(following, None)
            if target is None:
                path.pop()
                open_.discard(name)
                done.add(name)
                order.append(name)
            elif target in open_:
                back.add((name, target))
            elif target not in done:
                path.append((target, iter(targets[target])))
                open_.add(target)
    rank = dict.fromkeys(names, 0)
    for name in reversed(order):
        for target in targets[name]:
            if (name, target) not in back:
                rank[target] = max(rank[target], rank[name] + 1)
    return rank


def _layers(names: list[str], edges: list[Edge], rank: dict[str, int]) -> _Layers:
    found = _Layers([[] for _ in range(max(rank.values(), default=0) + 1)])
    for name in sorted(names, key=lambda one: rank[one]):
        found.rows[rank[name]].append(name)
    for edge in edges:
        upper, lower = sorted((edge.source, edge.target), key=lambda name: rank[name])
        passed = range(rank[upper] + 1, rank[lower])
        for layer in passed:
            found.rows[layer].append(edge)
        found.chains[edge] = [upper, *([edge] * len(passed)), lower]
    return found


def _ordered(layers: _Layers, edges: list[Edge]) -> _Layers:
    """Order each layer by the mean place of its neighbours above, then below, and so on: fewer edges cross."""
    above: list[dict[str | Edge, list[str | Edge]]] = [{} for _ in layers.rows]
    below: list[dict[str | Edge, list[str | Edge]]] = [{} for _ in layers.rows]
    layer_of = {name: number for number, row in enumerate(layers.rows) for name in row if isinstance(name, str)}
    for edge in edges:
        chain = layers.chains[edge]
        first = layer_of[str(chain[0])] if isinstance(chain[0], str) else 0
        for number, (upper, lower) in enumerate(itertools.pairwise(chain), start=first):
            below[number].setdefault(upper, []).append(lower)
            if number + 1 < len(layers.rows):
                above[number + 1].setdefault(lower, []).append(upper)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        numbers = range(1, len(layers.rows)) if downwards else range(len(layers.rows) - 2, -1, -1)
        for number in numbers:
            beside = layers.rows[number - 1 if downwards else number + 1]
            place = {node: (position + 0.5) / len(beside) for position, node in enumerate(beside)}
            neighbours = above[number] if downwards else below[number]
            row = layers.rows[number]
            own = {node: (position + 0.5) / len(row) for position, node in enumerate(row)}

            def mean(
                node: str | Edge,
                place: dict[str | Edge, float] = place,
                neighbours: dict[str | Edge, list[str | Edge]] = neighbours,
                own: dict[str | Edge, float] = own,
            ) -> float:
                near = [place[one] for one in neighbours.get(node, []) if one in place]
                return sum(near) / len(near) if near else own[node]

            row.sort(key=mean)
    return layers


def _main_path(start: str, names: list[str], edges: list[Edge]) -> list[str]:
    """The states of an ordinary run: of the transitions of a state, the one to the state that is written first."""
    path = [start]
    while following := [one.target for one in edges if one.source == path[-1] and not one.caught]:
        if (target := min(following, key=names.index)) in path:
            break
        path.append(target)
    return path


def _places(layers: _Layers, main: list[str]) -> tuple[dict[Any, tuple[int, int]], int]:
    """Where each state begins and each edge passes; and the width of all. An edge's key is itself and its layer.

    The main path is straight. A layer below its end lies below what leads to it.
    """

    def size(node: str | Edge) -> int:
        return _WIDTH if isinstance(node, str) else _LANE

    middles: dict[str | Edge, float] = {}
    """Of each node, the middle in the last layer that has it."""
    lefts: list[list[float]] = []
    for row in layers.rows:
        ends = list(itertools.accumulate(size(node) + _GAP for node in row))
        middle = {node: end - _GAP - size(node) / 2 for node, end in zip(row, ends, strict=True)}
        if straight := [node for node in row if node in main]:
            shift = -middle[straight[0]]
        else:
            above = {node: _mean(middles, layers, node) for node in row}
            shifts = [place - middle[node] for node, place in above.items() if place is not None]
            shift = sum(shifts) / len(shifts) if shifts else 0
        middles |= {node: middle[node] + shift for node in row}
        lefts.append([middle[node] + shift - size(node) / 2 for node in row])
    first = min(itertools.chain.from_iterable(lefts))
    last = max(left + size(node) for row, row_lefts in zip(layers.rows, lefts, strict=True)
               for node, left in zip(row, row_lefts, strict=True))  # fmt: skip
    places: dict[Any, tuple[int, int]] = {}
    for number, (row, row_lefts) in enumerate(zip(layers.rows, lefts, strict=True)):
        for node, left in zip(row, row_lefts, strict=True):
            place = (round(left - first) + _GAP, _GAP + number * (_HEIGHT + _BETWEEN))
            places[node if isinstance(node, str) else (node, number)] = place
    return places, round(last - first) + 2 * _GAP


def _mean(middles: dict[str | Edge, float], layers: _Layers, node: str | Edge) -> float | None:
    """The mean place of what leads to a node from the layers above it; None if nothing does."""
    if node in middles:  # an edge that has passed a layer already
        return middles[node]
    chains = [chain for chain in layers.chains.values() if node in chain[1:]]
    near = [middles[before] for chain in chains if (before := chain[chain.index(node) - 1]) in middles]
    return sum(near) / len(near) if near else None


def _path(edge: Edge, chain: list[str | Edge], places: dict[Any, tuple[int, int]], rank: dict[str, int]) -> str:
    upper, lower = str(chain[0]), str(chain[-1])
    if upper == lower:
        x, y = places[upper]
        return f"M{x + _WIDTH},{y + 10} c24,0 24,14 0,14"
    points = [(places[upper][0] + _WIDTH // 2, places[upper][1] + _HEIGHT)]
    for layer in range(rank[upper] + 1, rank[lower]):
        x, y = places[edge, layer]
        points += [(x + _LANE // 2, y), (x + _LANE // 2, y + _HEIGHT)]
    points.append((places[lower][0] + _WIDTH // 2, places[lower][1]))
    if edge.source == lower:
        points.reverse()
    return _curve(points)


def _curve(points: list[tuple[int, int]]) -> str:
    """A line through the points, which leaves and enters each one vertically."""
    path = f"M{points[0][0]},{points[0][1]}"
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        middle = (y + to_y) // 2
        path += f" C{x},{middle} {to_x},{middle} {to_x},{to_y}"
    return path


def _words(line: Timeline | None) -> dict[str, str]:
    states = line.states if line else []
    return {state.name: word_of(line, state, len(state.attempts)) for state in states if line and state.attempts}


def _attempts(line: Timeline | None) -> Counter[str]:
    found = Counter[str]()
    for state in line.states if line else []:
        found[state.name] += len(state.attempts)
    return found


def _taken(line: Timeline | None) -> set[tuple[str, str]]:
    states = line.states if line else []
    return {(one.name, following.name) for one, following in itertools.pairwise(states)}
