"""A slack-bolt bot that echoes, started as its documentation says. Runs in the peers' environment.

As it ships, its client opens a session for every call; with BENCH_SHARED it is given one, as its authors advise.
"""
# pyright: basic, reportMissingImports=false

import os
import re

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

client = AsyncWebClient(token="xoxb-bench", base_url=os.environ["BENCH_PLATFORM"] + "/api/")
app = AsyncApp(client=client, signing_secret=os.environ["BENCH_SIGNING_SECRET"])


@app.message(re.compile("ping"))
async def echo(message, say):  # noqa: ANN001, ANN201
    """Answer."""
    await say(message["text"])


if os.environ.get("BENCH_SHARED"):

    @app.middleware
    async def share_session(context, next):  # noqa: ANN001, ANN201
        """Let every call use one session."""
        if client.session is None:
            client.session = aiohttp.ClientSession()
        context.client.session = client.session
        await next()


if __name__ == "__main__":
    app.start(port=int(os.environ["BENCH_PORT"]), path="/slack/events", host="127.0.0.1")
