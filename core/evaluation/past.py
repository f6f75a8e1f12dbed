"""The conversations that questions of the suites follow, by the name the cases give them."""

from collections.abc import Mapping

from core.agent.past import Item, Past, Turn

_THREE = tuple(Item("instance", f"demo:{n}", f"dws_{letter}_di") for n, letter in enumerate("abc", 1))
_CHOICES = tuple(Item("task", f"demo:{letter}", f"dws_{letter}_di · trade") for letter in "ab")
PASTS: Mapping[str, Past] = {
    "": Past(),
    "list": Past((Turn("哪些失败了", items=_THREE),)),
    "one": Past((Turn("哪些失败了", items=_THREE), Turn("第一个", focus=_THREE[:1]))),
    "table": Past((Turn("更新了吗", focus=(Item("table", "demo:dws_a_di", "dws_a_di"), _THREE[0])),)),
    "choice": Past((Turn("看日志", items=_CHOICES, again="log"),)),
}
"""`list` showed three instances, `one` went on to the first, `table` spoke of a table, `choice` asked which was meant."""
