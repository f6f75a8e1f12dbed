"""Traditional characters by their simplified ones, for comparing: text of either script is understood by one set of words."""

_TRADITIONAL = (
    "為麼敗務實執運專項誌記錄據錯誤個這還沒時間後來們請幫應該資狀態況開關終結凍殺診斷問題總覽現產導載說謝嗎點級兩從對當歷類過給與報統計數"
    "變處發試讓選確認標準調頁達遲長補見裡裏於啟動鏈條線網單週禮擋擇刪營緒齊熱壞檢測監視廣體範圍響賴節誰復續進麗紅順負責組稱麽爲啓臺灣萬億複連檔舊樣嚴驗證屬隊異並戶層庫權轉輸較邊鎖鍵閉難電顯須領頻願風驅"
    "業觸傳參員積帳學優環緩際預機構訊盤釋雜簡訂換遠離滿觀銷壓縮寫讀勢協擔擁職聯絡繫臨鎮鐘龍強術語詢訪譯議護貴費質輯適遺鄰釐銀閒陸陽隨雙頭額飛餘驟樹橋濾滯溫漸潔燈獨獲獎瀏禍種穩競筆簽糧約純紙細絕綠維緊績縫繞織繼罰習聲聽腦興舉蓋藍號規覺訓訴評詞話詳誠談論識譜"
)
_SIMPLIFIED = (
    "为么败务实执运专项志记录据错误个这还没时间后来们请帮应该资状态况开关终结冻杀诊断问题总览现产导载说谢吗点级两从对当历类过给与报统计数"
    "变处发试让选确认标准调页达迟长补见里里于启动链条线网单周礼挡择删营绪齐热坏检测监视广体范围响赖节谁复续进丽红顺负责组称么为启台湾万亿复连档旧样严验证属队异并户层库权转输较边锁键闭难电显须领频愿风驱"
    "业触传参员积帐学优环缓际预机构讯盘释杂简订换远离满观销压缩写读势协担拥职联络系临镇钟龙强术语询访译议护贵费质辑适遗邻厘银闲陆阳随双头额飞余骤树桥滤滞温渐洁灯独获奖浏祸种稳竞笔签粮约纯纸细绝绿维紧绩缝绕织继罚习声听脑兴举盖蓝号规觉训诉评词话详诚谈论识谱"
)
_SIMPLER = {ord(a): ord(b) for a, b in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}


def simplified(text: str) -> str:
    """The text in simplified characters; as long as the text, character for character. Not for people to read."""
    return text.translate(_SIMPLER)
