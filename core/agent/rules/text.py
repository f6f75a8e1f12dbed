"""Text made comparable without moving a character, so that a position in one is the same position in the other."""

_TRADITIONAL = (
    "為麼敗務實執運專項誌記錄據錯誤個這還沒時間後來們請幫應該資狀態況開關終結凍殺診斷問題總覽現產導載說謝嗎點級兩從對當歷類過給與報統計數"
    "變處發試讓選確認標準調頁達遲長補見裡裏於啟動鏈條線網單週禮擋擇刪營緒齊熱壞檢測監視廣體範圍響賴節誰復續進麗紅順負責組稱麽爲啓臺灣萬億複連檔舊樣嚴驗證屬隊異並戶層庫權轉輸較邊鎖鍵閉難電顯須領頻願風驅"
)
_SIMPLIFIED = (
    "为么败务实执运专项志记录据错误个这还没时间后来们请帮应该资状态况开关终结冻杀诊断问题总览现产导载说谢吗点级两从对当历类过给与报统计数"
    "变处发试让选确认标准调页达迟长补见里里于启动链条线网单周礼挡择删营绪齐热坏检测监视广体范围响赖节谁复续进丽红顺负责组称么为启台湾万亿复连档旧样严验证属队异并户层库权转输较边锁键闭难电显须领频愿风驱"
)
_FOLDED = (
    {ord(a): ord(b) for a, b in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}
    | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {0x3000: 0x20, 0x2019: 0x27, 0x2018: 0x27}
)


def fold(text: str) -> str:
    """Simplified, half-width, lower case; as long as the text, character for character."""
    return "".join(low if len(low := character.lower()) == 1 else character for character in text.translate(_FOLDED))


def blank(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with these parts replaced by as many spaces."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
