"""The LangChain agent, its middleware, its history, and the offline model.

`langchain` is imported here and in `core/tools` only, and not before the first question that needs it.
"""
