"""Problems of a document as data, and their words in English and Chinese; finds nothing itself (validate does).

The English template is the message id: pages that use gettext translate `Problem.message` and fill in `Problem.params`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import ErrorDetails, ValidationError

from flows.durations import Language, words
from flows.words import say as translated
from flows.words import spoken

Severity = Literal["error", "warning"]

_PROBLEMS: dict[str, tuple[str, str]] = {
    "entry.missing": ("Nobody can enter: the journey has no entry", "没有人能进入：旅程缺少入口"),
    "node.unreachable": ("“{node}” cannot be reached from an entry", "从任何入口都到不了“{node}”"),
    "end.missing": ("Nobody ever leaves: no end can be reached from the entry", "没有人能离开：从入口到不了任何结束点"),
    "port.open": ("“{port}” leads nowhere; who goes there ends there", "“{port}”没有连线，走到这里的人就此结束"),
    "port.unknown": (
        "An edge leaves by “{port}”, which this step does not have",
        "连线从“{port}”出发，但此节点没有这个出口",
    ),
    "port.twice": ("“{port}” leads to several steps; it may lead to one", "“{port}”连到了多个节点，只能连一个"),
    "edge.from_unknown": ("An edge starts at “{other}”, which does not exist", "有连线从不存在的节点“{other}”出发"),
    "edge.to_unknown": ("“{port}” leads to “{other}”, which does not exist", "“{port}”连到了不存在的节点“{other}”"),
    "edge.to_entry": (
        "“{port}” leads into the entry “{other}”; nobody can walk into it",
        "“{port}”连到了入口“{other}”，入口不能被连入",
    ),
    "node.unknown_type": ("The step type “{type}” is not installed", "没有安装“{type}”类型的节点"),
    "node.newer": (
        "The step was saved by a newer release (version {version}, here {known})",
        "此节点由更新的版本保存（版本 {version}，当前为 {known}）",
    ),
    "node.not_upgraded": (
        "The step's old settings (version {version}) could not be brought up to date",
        "此节点的旧设置（版本 {version}）无法升级",
    ),
    "settings": ("{reason}", "{reason}"),
    "cycle.no_wait": ("The steps {nodes} go round without ever waiting", "节点 {nodes} 形成了没有等待的循环"),
    "wait.endless": ("Nothing can end this wait", "没有任何条件能结束这个等待"),
    "wait.no_timeout": (
        "Without a time-out, who never does this waits here for ever",
        "没有设置超时，一直不触发的人会永远停在这里",
    ),
    "jump.itself": ("The step jumps to itself", "此节点跳转到自己"),
    "jump.unknown": ("The step jumps to “{other}”, which does not exist", "此节点跳转到不存在的“{other}”"),
    "weights.sum": (
        "The shares add up to {sum}, not 100; each is taken as its part of that",
        "各分支占比之和为 {sum} 而不是 100，将按比例换算",
    ),
    "message.unknown": (
        "The rule asks about the message “{other}”, which is not a step here",
        "规则引用了消息“{other}”，但流程里没有这个节点",
    ),
    "message.not_send": ("The rule asks about “{other}”, which sends nothing", "规则引用了“{other}”，但它不发送消息"),
    "reentry.key_missing": ("A journey entered once per key needs the key", "按键进入的旅程必须填写键"),
    "reentry.cooldown_missing": ("A journey with a cool-down needs its length", "有冷却期的旅程必须填写冷却时长"),
    "timezone.unknown": ("There is no time zone “{zone}”", "没有名为“{zone}”的时区"),
    "season.empty": ("The season ends before it begins", "季节的结束早于开始"),
    "season.over": ("The season is over: nobody will come in", "季节已经结束：不会再有人进入"),
    "season.itself": ("The journey overrides itself", "旅程覆盖了自己"),
    "season.no_journey": (
        "The season overrides journey {number}, which does not exist",
        "季节要覆盖的旅程 {number} 不存在",
    ),
    "season.no_plan": ("The season overrides plan {number}, which does not exist", "季节要覆盖的计划 {number} 不存在"),
    "season.circle": (
        "Journeys override each other in a circle in the same days: {names}",
        "同一时段内旅程互相覆盖成了循环：{names}",
    ),
    "account.missing": ("The account “{account}” does not exist", "账号“{account}”不存在"),
    "account.channel": (
        "The account “{account}” is for {channel}, not for this channel",
        "账号“{account}”用于 {channel}，不能用于此渠道",
    ),
    "audience.leaf": ("{reason}", "{reason}"),
    "account.needed": ("Choose the account this message is sent by", "请选择发送此消息的账号"),
}
_FIXES: dict[str, tuple[str, str]] = {
    "entry.missing": ("Add an entry step", "添加一个入口节点"),
    "node.unreachable": ("Connect it, or remove it", "把它连上，或删除它"),
    "end.missing": ("Connect a step that waits for nothing more to an exit", "把流程连到一个退出节点"),
    "port.open": ("Connect it, for example to an exit", "把它连上，例如连到退出节点"),
    "port.unknown": ("Remove the edge, or bring the port back", "删除连线，或恢复这个出口"),
    "cycle.no_wait": ("Put a wait into the circle", "在循环中加入等待节点"),
    "wait.endless": ("Give it a time-out, or an event to wait for", "设置超时，或选择要等待的事件"),
    "wait.no_timeout": ("Give it a time-out", "设置超时"),
    "reentry.key_missing": ("Write for example properties.order_id", "例如填写 properties.order_id"),
    "reentry.cooldown_missing": ("Write for example P7D", "例如填写 P7D"),
    "timezone.unknown": ("Write an IANA name such as Asia/Shanghai", "填写 IANA 时区名，例如 Asia/Shanghai"),
    "season.empty": ("Choose a last day that is not before the first", "选择不早于第一天的最后一天"),
    "season.over": ("Choose days that are still to come", "选择还没有过去的日期"),
    "season.itself": ("Take its own number out of the list", "从列表中去掉它自己的编号"),
    "season.circle": ("Take one of them out, or choose other days", "去掉其中一个，或选择别的日期"),
    "node.unknown_type": ("Install the plugin, or remove the step", "安装对应插件，或删除此节点"),
    "node.newer": ("Upgrade this installation", "升级当前系统"),
}
_SAYINGS: dict[str, tuple[str, str]] = {
    "missing": ("is needed", "必填"),
    "extra_forbidden": ("is unknown here; remove it, or check the spelling", "是未知字段，请删除或检查拼写"),
    "string": ("must be text", "必须是文本"),
    "int": ("must be a whole number", "必须是整数"),
    "float": ("must be a number", "必须是数字"),
    "bool": ("must be true or false", "必须是 true 或 false"),
    "list": ("must be a list", "必须是列表"),
    "object": ("must be an object", "必须是对象"),
    "string_too_short": ("must be at least {min_length} characters long", "至少 {min_length} 个字符"),
    "string_too_long": ("must be at most {max_length} characters long", "至多 {max_length} 个字符"),
    "string_pattern_mismatch": ("may only be written as {pattern}", "格式必须符合 {pattern}"),
    "greater_than_equal": ("must be at least {ge}", "不能小于 {ge}"),
    "greater_than": ("must be more than {gt}", "必须大于 {gt}"),
    "less_than_equal": ("must be at most {le}", "不能大于 {le}"),
    "less_than": ("must be less than {lt}", "必须小于 {lt}"),
    "too_short": ("needs at least {min_length}", "至少需要 {min_length} 项"),
    "too_long": ("holds at most {max_length}", "至多 {max_length} 项"),
    "literal_error": ("must be one of {expected}", "必须是以下之一：{expected}"),
    "finite_number": ("must be an ordinary number", "必须是有限的数字"),
    "duration_bounds": ("must be between {least} and {most}", "必须在 {least} 到 {most} 之间"),
}
_SAME: dict[str, str] = {
    "string_type": "string",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "int_parsing_size": "int",
    "float_type": "float",
    "float_parsing": "float",
    "bool_type": "bool",
    "bool_parsing": "bool",
    "list_type": "list",
    "tuple_type": "list",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "mapping_type": "object",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a document. `node` None: the journey as a whole; `field`: a path such as `cases[0].rule`."""

    node: str | None
    field: str | None
    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    severity: Severity = "error"

    @property
    def message(self) -> str:
        """The English template, which is the message id for gettext."""
        return _PROBLEMS[self.code][0]

    @property
    def text(self) -> str:
        """The problem in English."""
        return self.render("en")

    @property
    def fix(self) -> str | None:
        """What to do about it, in English, where there is one obvious thing."""
        return self.render_fix("en")

    def render(self, language: Language = "en") -> str:
        """The problem in a language."""
        own = self.params.get(f"reason_{language}")
        return own if own is not None else _pick(_PROBLEMS[self.code], language).format_map(self.params)

    def render_fix(self, language: Language = "en") -> str | None:
        """What to do about it, in a language."""
        fix = _FIXES.get(self.code)
        return None if fix is None else _pick(fix, language)


def place(location: Sequence[int | str]) -> str:
    """The path of a field as people write it: `cases[0].rule`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def refused(error: ValidationError) -> list[ErrorDetails]:
    """What a model refuses. A list that seems too short only because items of it are wrong is not held against it."""
    details = error.errors(include_url=False, include_input=False)
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(len(loc) > len(detail["loc"]) and loc[: len(detail["loc"])] == detail["loc"] for loc in places)
    ]


def say(error: ErrorDetails, language: Language = "en") -> str:
    """A pydantic error as a plain sentence without the name of the field."""
    kind = error["type"]
    context: dict[str, Any] = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in (error.get("ctx") or {}).items()
    }
    if kind == "duration_bounds":
        context |= {end: words(context[f"{end}_iso"], language) for end in ("least", "most")}
    if kind == "string_too_short" and context.get("min_length") == 1:
        kind = "missing"
    saying = _SAYINGS.get(_SAME.get(kind, kind))
    if saying is None:
        text = error["msg"].removeprefix("Value error, ")
        return translated(text) if language == spoken() else text
    return _pick(saying, language).format_map(context)


def _pick(pair: tuple[str, str], language: Language) -> str:
    return pair[1] if language == "zh" else pair[0]
