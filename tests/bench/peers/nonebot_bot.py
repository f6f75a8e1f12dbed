"""A NoneBot2 bot with adapter-feishu that echoes, over the webhook. Runs in the peers' environment.

The aiohttp driver for outgoing calls: the httpx one takes some fifteen times as long.
"""
# pyright: basic, reportMissingImports=false

import os

import nonebot
from nonebot import on_message
from nonebot.adapters.feishu import Adapter, MessageEvent

nonebot.init(
    driver="~fastapi+~aiohttp",
    log_level="WARNING",
    host="127.0.0.1",
    port=int(os.environ["BENCH_PORT"]),
    feishu_bots=[
        {
            "app_id": os.environ["BENCH_APP_ID"],
            "app_secret": os.environ["BENCH_APP_SECRET"],
            "encrypt_key": os.environ["BENCH_ENCRYPT_KEY"],
            "verification_token": os.environ["BENCH_VERIFICATION_TOKEN"],
            "api_base": os.environ["BENCH_PLATFORM"],
        }
    ],
)
nonebot.get_driver().register_adapter(Adapter)
echo = on_message(priority=5, block=True)


@echo.handle()
async def answer(event: MessageEvent):  # noqa: ANN201
    """Answer."""
    await echo.finish(event.get_plaintext())


if __name__ == "__main__":
    nonebot.run(access_log=False)
