"""Paths of members, as rules name them, and which of them a member is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from airflow_provider_lp.export.redaction.members import Kind, Member, documented, folded
from airflow_provider_lp.export.redaction.phones import says_phone

#: Of the names that are met in one place, and of the sets of them, so many are remembered.
MOST_NAMES = 1000

#: How far along which paths: the number of a path, and how many of its parts have been passed.
States = frozenset[tuple[int, int]]


Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Shape(NamedTuple):
    """
    What is of interest in all objects that have the same members.

    :param codes: gives the values of the members that hold codes or times, if there are such members.
    :param texts: gives those that hold texts, likewise.
    :param named_texts: the members that hold texts, and their places.
    :param named_by_rules: the members that rules name, and the numbers of the rules.
    :param others: the other members, names of agents excepted, and their places.
    """

    codes: Values | None
    texts: Values | None
    named_texts: tuple[tuple[str, Node], ...]
    named_by_rules: tuple[tuple[str, int], ...]
    others: tuple[tuple[str, Node], ...]

    @classmethod
    def of(cls, places: Mapping[str, Node]) -> Shape:
        """The shape of the objects that have these members."""
        plain = {name: place for name, place in places.items() if place.rule is None and not place.is_list}
        codes = [name for name, place in plain.items() if place.kind in (Kind.CODE, Kind.TIME)]
        agents = [name for name, place in plain.items() if place.kind is Kind.AGENT]
        texts = {name: place for name, place in plain.items() if place.is_plain_text}
        ruled = {name: place.rule for name, place in places.items() if place.rule is not None}
        left = {*codes, *agents, *texts, *ruled}
        others = tuple(each for each in places.items() if each[0] not in left)
        return cls(_values(codes), _values([*texts]), tuple(texts.items()), tuple(ruled.items()), others)


def _values(names: Sequence[str]) -> Values | None:
    # Of a single name, it would give no tuple.
    return itemgetter(*names, names[-1]) if names else None


class _Shapes(dict[tuple[str, ...], Shape]):
    """The shapes of the objects in one place, by the names of their members."""

    __slots__ = ("_place",)

    def __init__(self, place: Node) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, names: tuple[str, ...]) -> Shape:
        found = Shape.of({name: self._place[name] for name in names})
        if len(self) < MOST_NAMES:
            self[names] = found
        return found


class Node(dict[str, "Node"]):
    """
    A place in a record, where its members lead to others.

    It fills itself with the names that are met, so that finding a name again costs a look-up.

    :param tree: of which it is a part.
    :param states: how far along which paths.
    :param member: what LivePerson documents here; ``None`` for anything else.
    :param name: a name to use instead of the member's own, which holds personal data.
    :param says_phone: whether an undocumented member has a name that says that it is a telephone number.
    """

    __slots__ = (
        "_element",
        "is_list",
        "is_odd",
        "is_plain_text",
        "kind",
        "member",
        "name",
        "rule",
        "says_phone",
        "shapes",
        "states",
        "tree",
    )

    def __init__(
        self,
        tree: PathTree,
        states: States,
        member: Member | None,
        name: str | None = None,
        *,
        says_phone: bool = False,
    ) -> None:
        super().__init__()
        self.tree = tree
        self.states = states
        self.member = member
        self.name = name
        self.says_phone = says_phone
        #: The number of the first path that ends here.
        self.rule = tree.ended(states)
        #: What the member holds. Nobody knows what is in an unknown one, so it is read as text.
        self.kind = Kind.TEXT if member is None or member.kind is None else member.kind
        self.is_list = member is not None and member.is_list
        #: Whether there is more to it than what kind of text it may hold.
        self.is_odd = self.rule is not None or self.kind is Kind.WHO or member is None
        self.is_plain_text = not self.is_odd and member is not None and member.kind is Kind.TEXT
        self.shapes = _Shapes(self)
        self._element: Node | None = None

    def __missing__(self, name: str) -> Node:
        found = self.tree.below(self, name)
        if len(self) < MOST_NAMES:
            self[name] = found
        return found

    def element(self) -> Node:
        """The place of a list's elements, if this is the place of the list."""
        if self._element is None:
            self._element = self.tree.element(self)
        return self._element


class PathTree:
    """
    Where paths lead, worked out as far as records go.

    Names are compared without regard to case. A ``*`` is a member of any name, or the elements of a list; before
    another part it may be left out, and lists may be passed without one, so that a path fits records in which a single
    object stands for a list. ``**`` is any number of members.

    :param paths: the paths, each in its parts; the first that fits a member counts.
    :param clean: makes a name free of personal data; default names stay as they are.
    """

    def __init__(self, paths: Sequence[Sequence[str]], clean: Callable[[str], str] = str) -> None:
        self._paths = [[folded(part) for part in path] for path in paths]
        self._clean = clean
        self._nodes: dict[tuple[States, Member | None, bool], Node] = {}
        self.root = self._node(self._with_options({(number, 0) for number in range(len(self._paths))}), documented())

    def ended(self, states: States) -> int | None:
        """The number of the first path that ends in one of the states."""
        return min(self.all_ended(states), default=None)

    def all_ended(self, states: States) -> list[int]:
        """The numbers of all paths that end in one of the states."""
        return [path for path, passed in states if passed == len(self._paths[path])]

    def below(self, node: Node, name: str) -> Node:
        """Where a member leads."""
        known = folded(name)
        states = set()
        for path, passed in node.states:
            part = self._part(path, passed)
            if part in (known, "*"):
                states.add((path, passed + 1))
            elif part == "**":
                states.add((path, passed))
        member = node.member.get(known) if node.member else None
        found = self._node(self._with_options(states), member, says_phone=member is None and says_phone(name))
        if member is None and (clean := self._clean(name)) != name:
            return Node(self, found.states, None, clean, says_phone=found.says_phone)
        return found

    def element(self, node: Node) -> Node:
        """Where the elements of a list are."""
        past_a_star = {(path, passed + 1) for path, passed in node.states if self._part(path, passed) == "*"}
        going_on = {(path, passed) for path, passed in node.states if passed < len(self._paths[path])}
        return self._node(self._with_options(going_on | past_a_star), node.member, says_phone=node.says_phone)

    def _part(self, path: int, passed: int) -> str | None:
        parts = self._paths[path]
        return parts[passed] if passed < len(parts) else None

    def _node(self, states: States, member: Member | None, *, says_phone: bool = False) -> Node:
        key = (states, member, says_phone)
        return self._nodes.setdefault(key, Node(self, states, member, says_phone=says_phone))

    def _with_options(self, states: set[tuple[int, int]]) -> States:
        """With the states that are reached by leaving out what may be left out."""
        waiting = list(states)
        while waiting:
            path, passed = waiting.pop()
            is_optional = self._part(path, passed) in ("*", "**") and passed + 1 < len(self._paths[path])
            if is_optional and (path, passed + 1) not in states:
                states.add((path, passed + 1))
                waiting.append((path, passed + 1))
        return frozenset(states)


def members_on(paths: Sequence[Sequence[str]]) -> list[list[Member]]:
    """The documented members that each of some paths leads to."""
    tree = PathTree(paths)
    found: list[list[Member]] = [[] for _ in paths]

    def visit(member: Member, place: Node) -> None:
        places = [place, place.element()] if place.is_list else [place]
        for path in sorted({path for each in places for path in tree.all_ended(each.states)}):
            found[path].append(member)
        for below in member.members.values():
            visit(below, places[-1][below.name])

    for member in documented().members.values():
        visit(member, tree.root[member.name])
    return found
