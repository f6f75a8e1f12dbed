"""How often something is due, by a cron expression as Quartz writes it; DataWorks and DolphinScheduler both do."""


def cycle(cron: str) -> str:
    """A word of `Task.cycle`.

    Args:
        cron: seconds first, a year or none last: `00 15 02 * * ?`.
    """
    match cron.split()[:6]:
        case [_, minute, _, _, _, _] if _many(minute):
            return "minute"
        case [_, _, hour, _, _, _] if _many(hour):
            return "hourly"
        case [_, _, _, "*" | "?", "*", "*" | "?"]:
            return "daily"
        case [_, _, _, "*" | "?", "*", _]:
            return "weekly"
        case [_, _, _, _, "*", "*" | "?"]:
            return "monthly"
        case _:
            return ""


def _many(field: str) -> bool:
    return any(sign in field for sign in "*/,-")
