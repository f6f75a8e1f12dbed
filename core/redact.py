"""Text from outside, made safe: secrets out, invisible characters out, instructions recognised and fenced.

Three separate places use it: before something is stored, before a model reads it, and before a chat shows it. All
functions are pure, never raise, keep every newline (so line numbers stay true) and take time linear in the text: each
pattern starts where its own alphabet begins, and repeats possessively or within a stated bound.

Masked: private keys, JSON web tokens, access keys of the large clouds, bearer tokens, passwords and secrets in URLs,
assignments (`k=v`, JSON, YAML, XML, SQL) and command lines, mainland phone and identity numbers. Kept on purpose:
e-mail addresses (platforms name owners by them) and every number that is not shown to be personal.
"""

import re
import secrets
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import accumulate

MASK = "***"

_ANSI = re.compile(r"\x1b\[[0-9;?]{0,32}[ -/]?[@-~]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]+"
)
_LINE_END = re.compile(r"(?<!\r)\r++(?=\n|\Z)")
_SPACING = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    r"""The text without control, bidirectional, zero-width and lone surrogate characters and terminal colours.

    Newlines and tabs stay, `\r\n` becomes `\n`, other separators become a space: the number of lines never changes.
    """
    text = _INVISIBLE.sub("", _ANSI.sub("", text))
    return _SPACING.sub(" ", _LINE_END.sub("", text))


def mask(text: str) -> str:
    """The text with every secret replaced by `***`. Masking twice changes nothing more."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class StandIns:
    """Names that `mask` would hide, under words that may be shown, for as long as one answer takes.

    A secret never comes back. A name must: a model has to give it to a tool, and the reader has to know what is meant.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def hide(self, text: str, names: Iterable[str]) -> str:
        """The text masked, with stand-ins for those of the names that masking would hide."""
        for name in sorted(set(names), key=len, reverse=True):
            if mask(name) != name and name in text:
                text = text.replace(name, self._names.setdefault(name, f"hidden_name_{len(self._names) + 1}_"))
        return mask(text)

    def restore(self, text: str) -> str:
        """The text with the names themselves."""
        for name, stand_in in self._names.items():
            text = text.replace(stand_in, name)
        return text


# A value that somebody wrote *about* a secret, or that stands for one. Masking it would only hide evidence, as in
# "Access denied for user (using password: YES)".
_NO_SECRET = re.compile(
    r"(?i)(?:yes|no|true|false|null|none|undefined|empty|required|expired|invalid|missing|incorrect|wrong|not|is|was|must"
    r"|cannot|for|of|and|or|the|has|are|from|near|at|不?能?为空|不存在|不正确|错误|已?过期|失效|无效)[.!。]?"
    r"|\$\{[^}]{1,200}\}|\{\{[^}]{1,200}\}\}|<[\w .-]{1,60}>|\*+|%\(?\w{1,40}\)?s?"
)
_TALKS_ABOUT_TOKENS = re.compile(r"(?i)(?:unexpected|invalid|bad|near|illegal|mismatched|missing|parse|syntax)\W{0,3}$")

_KEY = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![A-Za-z])pwd|(?<=[_.-])pass|secret(?:[_-]?(?:access)?[_-]?key)?"
    r"|(?<![A-Za-z])token|(?<=[_-])token|(?<=[a-z])Token|access[_-]?(?:key)?(?:[_-]?(?:id|secret))|(?:access|api|account)[_-]?key"
    r"|SharedAccessKey|private[_-]?key|credential|密码|密碼|口令|密钥|密鑰|令牌)"
)
_VALUE = (
    r"(?:\$\{[^}\s]{1,200}\}|\{\{[^}\n]{1,200}\}\}|\\\"(?:[^\"\\\n])*+\\\"|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.|'')*+'"
    r"|[\"']?[^\s\"'<>,;&(){}\[\]][^\s\"'<>,;&)}\]]*+)"
)


def _hide(value: str) -> str:
    """`***` in the same quotes, or the value itself when it holds no secret."""
    quote = re.match(r"\\?[\"']?", value)
    left = quote.group() if quote else ""
    right = left if left and len(value) > len(left) and value.endswith(left) else ""
    inner = value[len(left) : len(value) - len(right)]
    if not inner or _NO_SECRET.fullmatch(inner):
        return value
    return f"{left}{MASK}{right}"


def _assignment(match: re.Match[str]) -> str:
    key, value = match["key"].lower(), match["value"]
    if key == "token" and _TALKS_ABOUT_TOKENS.search(match.string, max(0, match.start() - 16), match.start()):
        return match.group()
    if key == "pwd" and value.startswith("/"):  # the shell's working directory
        return match.group()
    return f"{match['key']}{match['sep']}{_hide(value)}"


def _after(match: re.Match[str]) -> str:
    """Group 1 stays, group 2 is the secret."""
    return match[1] + _hide(match[2])


def _body(match: re.Match[str]) -> str:
    return match[1] + "\n".join(MASK for _ in match[2].split("\n"))


_MEASURE = re.compile(
    r"(?:(?<![a-z])ids?|[a-z]I[dD]s?|(?:instance|node|task|size|bytes|memory|mem|count|rows?|offset|code|pid|lsn|txn|xid"
    r"|length|timestamp|seq|version|heap|used|total|limit|实例|节点|任务|编号|行数|字节))[\"'”]?[ \t]{0,4}[:=：#]?[ \t]{0,4}"
    r"[\"'“\[(]{0,2}$"
)
_UNIT = re.compile(r"[ \t]{0,2}(?:bytes?|[KMGT]?i?B\b|rows?|records?|ms\b|ns\b|us\b|条|行|个|字节|毫秒)")


def _phone(match: re.Match[str]) -> str:
    """A phone number, unless the words around it say that it counts or identifies something else."""
    before, after = max(0, match.start() - 24), match.end()
    counts = _MEASURE.search(match.string, before, match.start()) or _UNIT.match(match.string, after)
    return match.group() if counts else MASK


def _identity(match: re.Match[str]) -> str:
    """An identity number by its check digit (GB 11643-1999) and a possible birthday; otherwise just digits."""
    number = match.group()
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(number[:17]))
    if "10X98765432"[total % 11] != number[17].upper():
        return number
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return number
    return MASK if born.year >= 1900 else number


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_RULES: tuple[_Rule, ...] = (
    (  # PEM; also on one line with escaped newlines, also when the end is cut off
        re.compile(
            r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----)"
            r"((?:(?:\s|\\[nr])*+(?:(?:Proc-Type|DEK-Info):[^\n\\]*+|[A-Za-z0-9+/=]{16,}+"
            r"|[A-Za-z0-9+/=]++(?=\s?-----END|\\n-----END)))++)"
        ),
        _body,
    ),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?"), MASK),  # RFC 7519
    (  # Alibaba Cloud, AWS, Tencent, Google, GitHub, GitLab, Slack, model providers, DingTalk robots
        re.compile(
            r"(?<![A-Za-z0-9])(?:LTAI[A-Za-z0-9]{12,26}|STS\.[A-Za-z0-9]{16,64}|(?:AKIA|ASIA)[A-Z0-9]{16}"
            r"|AKID[A-Za-z0-9]{32}|AIza[\w-]{35}|gh[pousr]_[A-Za-z0-9]{36,255}|glpat-[\w-]{20}"
            r"|xox[abprs]-[\w-]{10,200}|sk-[\w-]{20,200}|SEC[0-9a-f]{64})(?![A-Za-z0-9])"
        ),
        MASK,
    ),
    (
        re.compile(
            r"((?i:authorization)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:(?i:basic|digest|token|bearer)\s{1,4})?+)"
            r"([^\s\"',]{4,})"
        ),
        _after,
    ),
    (re.compile(r"((?i:\bbearer)\s{1,4})(?=\S{0,80}\d)([\w.~+/=-]{8,})"), _after),
    (re.compile(r"((?i:\b(?:set-)?cookie)\s{0,4}:\s{0,4})([^\n\"']{4,4096})"), _after),
    (re.compile(r"(://[^\s:/@?#\"'<>]{0,128}:)([^\s/?\"'<>]{1,256})(?=@)"), _after),
    (  # Oracle writes user/password@host
        re.compile(
            r"((?i:jdbc:oracle:\w{1,8}:|\b(?:sqlplus|expdp|impdp|sqlldr)\s(?:-\w{1,8}\s){0,4})[^\s/@:]{1,64}/)"
            r"([^\s@/]{1,128})(?=@)"
        ),
        _after,
    ),
    (  # signed addresses and robot addresses
        re.compile(
            r"([?&](?i:key|sign|sig|signature|ticket|x-amz-signature|x-oss-signature|x-amz-credential)=)"
            r"([^&\s\"'<>]{12,})"
        ),
        _after,
    ),
    (re.compile(r"(/(?:bot/v2/hook|hooks\.slack\.com/services)/)([\w/-]{8,})"), _after),
    (re.compile(rf"(<(?:\w{{1,40}}[.:_-]){{0,8}}{_KEY}>\s{{0,8}})([^<\n]{{1,400}})", re.IGNORECASE), _after),
    (re.compile(rf"({_KEY}</name>\s{{0,80}}<value>)([^<\n]{{1,400}})", re.IGNORECASE), _after),  # Hadoop settings
    (re.compile(r"((?i:\bidentified\s{1,4}by|\bpassword)\s{1,4})('(?:[^'\n]|'')*+')"), _after),  # SQL
    (re.compile(rf"(--(?:\w{{1,30}}-){{0,4}}{_KEY}[ \t]{{1,4}})((?!-){_VALUE})", re.IGNORECASE), _after),
    (
        re.compile(
            r"(\b(?:mysql|mysqldump|mysqladmin|mysqlimport|sshpass|redis-cli|beeline)\b[^\n|;]{0,200}?\s-[pa])"
            r"((?![a-z]{1,8}\s-)[\"']?[^\s\"'-][^\s\"']*+[\"']?)"
        ),
        _after,
    ),
    (re.compile(r"(\bcurl\b[^\n|;]{0,300}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,64}:)([^\s\"']+)"), _after),
    (
        re.compile(
            rf"(?P<key>{_KEY})(?P<sep>(?:\\?[\"'`])?[ \t]{{0,8}}(?:[:=：＝]=?|=>)[ \t]{{0,8}})(?P<value>{_VALUE})",
            re.IGNORECASE,
        ),
        _assignment,
    ),
    (re.compile(r"(?<![0-9A-Za-z_.])(?:\d{17}[\dXx])(?![0-9A-Za-z_])"), _identity),
    (
        re.compile(r"(?<![0-9A-Za-z_./-])(?:\+?86[- ]?)?1[3-9]\d(?:\d{8}|([- ])\d{4}\1\d{4})(?![0-9A-Za-z_]|[.-]\d)"),
        _phone,
    ),
)


def fence(text: str, source: str) -> str:
    """Untrusted text wrapped for a model. The marker is random, so the text cannot end its own fence.

    Args:
        text: what another system or person wrote.
        source: where it is from, in a few words; made harmless as well, since names are attacker-writable.
    """
    marker = secrets.token_hex(8)
    label = re.sub(r"[^\w .:/-]", " ", clean(source))[:80]
    return f'<untrusted-{marker} source="{label}">\n{clean(text)}\n</untrusted-{marker}>'


def injections(lines: Sequence[str]) -> frozenset[int]:
    """0-based positions of lines that try to instruct the reader, a model or a bot; also across a line break.

    They are shown to the person as a warning and are never followed. Full-width letters and invisible characters are
    folded first.
    """
    folded = [" ".join(unicodedata.normalize("NFKC", clean(line)).casefold().split()) for line in lines]
    starts = [0, *accumulate(len(line) + 1 for line in folded)]
    found: set[int] = set()
    for match in _INSTRUCTION.finditer("\n".join(folded)):
        found.update(range(bisect_right(starts, match.start()) - 1, bisect_right(starts, match.end() - 1)))
    return frozenset(found)


# What instructs, as opposed to what reports: someone is told to forget, obey, approve or conceal. A space here also
# matches a line break.
_INSTRUCTION = re.compile(
    "|".join(
        (
            r"\b(?:ignore|disregard|forget|override|bypass) (?:\w{1,12} ){0,4}"
            r"(?:instructions?|prompts?|rules|guidelines|guardrails|polic(?:y|ies)|directions)\b",
            r"\b(?:ignore|disregard|forget) (?:everything|all|anything) (?:above|before|previous|prior|you)",
            r"\byou are now (?:an?|the|my|acting|dan|root|admin|allowed|free|in (?:admin|developer|debug|god) mode)\b",
            r"\b(?:new|updated|real|actual|hidden) (?:system )?(?:instructions?|prompt) ?:",
            r"(?<![^\n])\W{0,6}(?:system|assistant|developer)(?: (?:prompt|message|note|override|instructions?))? ?[\]>:]"
            r"[^\n]{0,80}\b(?:you|must|please|rerun|approve|delete|drop|mark|execute|call|ignore)\b",
            r"<\|(?:im_start|im_end|system|user|assistant|endoftext)\|>|\[/?inst\]|<</?sys>>",
            r"</?(?:system|assistant)(?:_prompt|-reminder)?>",
            r"\b(?:dear|attention|hey|hello|note to|message to|instructions? (?:to|for)) (?:the )?"
            r"(?:ai|llm|gpt|model|assistant|agent|bot|chatbot|language model)s?\b",
            r"\b(?:ai|llm|assistant|agent|bot|model)s?\b[^\n]{0,30}\b(?:must|should|shall|please|has to"
            r"|is (?:required|instructed|authori[sz]ed) to) (?:now )?(?:immediately )?"
            r"(?:re-?run|approve|delete|drop|mark|set|execute|call|kill|ignore|reply|report|say|reveal|print|confirm)",
            r"\b(?:re-?run|approve|delete|drop|kill|truncate|mark|set|execute|confirm|backfill)\b[^\n]{0,80}"
            r"\bwithout (?:any )?(?:confirm\w{0,6}|approv\w{0,4}|asking|permission|review)",
            r"\b(?:no|skip(?: the)?) (?:confirmation|approval) (?:is )?(?:needed|required|necessary|step)\b",
            r"\b(?:do not|don't|never) (?:tell|inform|alert|notify|mention (?:this )?to|show (?:this )?to) (?:the )?"
            r"(?:user|operator|human|on-?call|anyone|person)",
            r"\b(?:please|immediately|now|you must|you should) (?:\w{1,12} ){0,2}(?:re-?run|mark|set|delete|drop|kill"
            r"|approve) (?:\w{1,12} ){0,3}(?:all|every|everything)\b",
            r"\b(?:reveal|print|repeat|output|show|leak) (?:\w{1,10} ){0,3}(?:system prompt|api keys?|secrets|credentials)\b",
            r"\bcall (?:the )?(?:tool|function) [`\"']?\w|\buse (?:the |your )(?:\w{1,20} )?tool to\b",
            r"(?:忽略|无视|無視|忘记|忘記|忘掉|跳过|跳過|绕过|繞過)[^\n。;,]{0,12}(?:指令|指示|提示词|提示詞|规则|規則|约束|限制"
            r"|设定|設定|审批|審批|审核|審核|确认|確認)",
            r"(?:无需|無需|不需要|不用|无须|不必|毋须)(?:再|经过|經過|任何|进行|人工|值班|二次)*+(?:审批|審批|审核|審核|确认|確認"
            r"|批准|询问|詢問|授权|授權)",
            r"(?:你|您)(?:现在|現在|从现在起|從現在起)(?:是|扮演|成为|變成|切换|切換|处于|處於|拥有|擁有)",
            r"(?:系统|系統|开发者|開發者|管理员|管理員)(?:提示词?|提示詞|指令|消息|訊息|命令) ?[:\]】][^\n]{0,40}"
            r"(?:请|請|你|立即|必须|必須|务必|務必|执行|執行)",
            r"(?:请|請|务必|務必|必须|必須|应当|應當|你要|你需要)(?:立即|立刻|马上|馬上|直接|现在|現在|自动|自動|对|對|将|將|把)"
            r"[^\n。;]{0,40}(?:置成功|置为成功|設為成功|标记为?成功|標記為?成功|重跑|删除|刪除|清空|drop|kill|rerun)",
            r"(?:不要|不得|不准|请勿|請勿|别|別|禁止)再?(?:告诉|告訴|通知|告知|提醒|询问|詢問|展示给)"
            r"(?:用户|使用者|用戶|值班|人类|人類|任何人|运维|管理员)",
            r"(?:作为|身为|身為|致|给|給)(?:一个|一個)?(?:ai|人工智能|人工智慧|大模型|语言模型|語言模型|智能体|机器人|機器人)"
            r"[^\n]{0,20}(?:请|請|应|應|必须|必須|需要|执行|執行|注意)",
            r"(?:输出|輸出|泄露|洩露|告诉我|告訴我|打印)[^\n。]{0,8}(?:系统提示|系統提示|提示词|提示詞|密钥|密鑰)",
            r"<at [^>\n]{0,60}\ball\b[^>\n]{0,20}>|\]\( ?javascript:",  # card injection
        )
    ).replace(" ", "[ \n]")
)
