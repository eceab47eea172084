"""The one language of conditions, entry filters and audiences (DESIGN §5), read once, decided by closures; never SQL.

`Rule` and `Where` are field types of pydantic models: JSON in, a compiled rule in the model, the same JSON out.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any as Json

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from flows.contract import Facts
from flows.durations import Language
from flows.errors import RuleError
from flows.rules.closures import Condition, Matcher, Messages, Properties, condition, matcher
from flows.rules.explain import Explainer, Explanation, Situation, sentence, sentences
from flows.rules.parse import Parser
from flows.rules.tree import Tree, fact, leaves

__all__ = ["EVERY_EVENT", "Explanation", "Rule", "RuleError", "Tree", "Where", "parse", "parse_where"]


class Rule:
    """A rule about a contact. `holds(facts, at, properties, messages)` decides; `reads` names the facts it needs.

    `properties` are those of the entry event, `messages` the outcomes this enrollment's message nodes reached.
    Made by `parse`; never changed.
    """

    __slots__ = ("_explainer", "holds", "reads", "source", "tree")

    def __init__(self, source: Mapping[str, Json], tree: Tree) -> None:
        self.source = source
        self.tree = tree
        self.holds: Condition = condition(tree)
        self.reads: frozenset[str] = frozenset(fact(leaf) for leaf in leaves(tree))
        self._explainer = Explainer(tree)

    def explain(
        self, facts: Facts, at: datetime, properties: Properties | None = None, messages: Messages | None = None
    ) -> Explanation:
        """The leaf that decided, with the value seen."""
        return self._explainer.explain(Situation(facts, at, properties, messages))

    def sentence(self, language: Language | None = None) -> str:
        """The rule in words."""
        return sentence(self.tree, language)

    def sentences(self, language: Language | None = None) -> list[tuple[str, str]]:
        """Each leaf's place in the source, and the leaf in words."""
        return [(leaf.place, sentence(leaf, language)) for leaf in leaves(self.tree)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and _text(self.source) == _text(other.source)

    def __hash__(self) -> int:
        return hash(self.tree)

    def __repr__(self) -> str:
        return f"Rule({self.sentence()})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Json, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _rule_field, serialization=core_schema.plain_serializer_function_ser_schema(lambda rule: rule.source)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "object",
            "format": "rule",
            "minProperties": 1,
            "examples": [{"all": [{"attribute": "plan", "op": "eq", "value": "pro"}, {"tag": "vip"}]}],
        }


class Where:
    """Rules on the properties of one event; all must hold. `matches(properties)` decides; an empty list matches all."""

    __slots__ = ("matches", "source", "trees")

    def __init__(self, source: list[Json], trees: tuple[Tree, ...]) -> None:
        self.source = source
        self.trees = trees
        self.matches: Matcher = matcher(trees) or _always

    def sentence(self, language: Language | None = None) -> str:
        """The rules in words; empty where there are none."""
        return sentences(self.trees, language)

    def __bool__(self) -> bool:
        return bool(self.trees)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Where) and _text(self.source) == _text(other.source)

    def __hash__(self) -> int:
        return hash(self.trees)

    def __repr__(self) -> str:
        return f"Where({self.sentence()})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Json, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _where_field, serialization=core_schema.plain_serializer_function_ser_schema(lambda where: where.source)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "array",
            "format": "where",
            "items": {"type": "object"},
            "examples": [[{"property": "amount", "op": "gte", "value": 100}]],
        }


def parse(source: Json, path: str = "rule") -> Rule:
    """The rule that JSON means; RuleError names the place (from `path` on) and the fix."""
    return Rule(source, Parser().rule(source, path))


def parse_where(source: Json, path: str = "where") -> Where:
    """The rules on properties that a JSON list means; RuleError names the place and the fix."""
    trees = Parser(where=True).rules(source, path, 1)
    return Where(list(source), trees)


def _text(source: Json) -> str:
    # As text, because to Python 1 and true are equal.
    return json.dumps(source, sort_keys=True)


def _always(properties: Properties) -> bool:
    del properties
    return True


def _rule_field(value: Json) -> Rule:
    if isinstance(value, Rule):
        return value
    try:
        return parse(value)
    except RuleError as error:
        raise PydanticCustomError("rule", "{reason}", {"reason": str(error)}) from None


def _where_field(value: Json) -> Where:
    if isinstance(value, Where):
        return value
    try:
        return parse_where(value)
    except RuleError as error:
        raise PydanticCustomError("rule", "{reason}", {"reason": str(error)}) from None


EVERY_EVENT = parse_where([])
