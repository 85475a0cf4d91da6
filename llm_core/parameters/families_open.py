"""What the other providers' models take: Cohere's, those behind Hugging Face, local ones, compatible endpoints'.

Read on 2026-11-24: the types of cohere 7.3.1 and huggingface_hub 2.4.0, llama.cpp's description of its server, and the
server itself (xllamacpp 2026.10), asked at and past each limit.
"""

from __future__ import annotations

from .narrowing import Specs, doubt, narrow, refuse

COHERE = "https://docs.cohere.com/reference/chat"
COHERE_REASONING = "https://docs.cohere.com/docs/reasoning"
HUGGING_FACE = "https://huggingface.co/docs/inference-providers/tasks/chat-completion"
LLAMA = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
UINT32 = 2**32


def cohere(specs: Specs, name: str) -> None:
    narrow(specs, COHERE, temperature={"default": 0.3}, top_k={"max": 500, "default": 0}, max_tokens={}, system={})
    narrow(specs, COHERE, top_p={"min": 0.01, "max": 0.99, "default": 0.75}, stop={"max": 5}, seed={"min": 0})
    penalty = {"min": 0, "max": 1}
    narrow(specs, COHERE, frequency_penalty=penalty, presence_penalty=penalty, logprobs={}, response_format={})
    lacking = ("min_p", "repetition_penalty", "n", "top_logprobs", "verbosity", "service_tier", "safety_settings")
    refuse(specs, "Cohere's API has no such parameter.", COHERE, *lacking)
    refuse(specs, "Cohere's reasoning models take a thinking_budget.", COHERE, "reasoning_effort")
    ways = "1 or more; 0 turns thinking off, -1 sets no limit."
    budget = {"min": 1, "besides": (0, -1), "reason": ways}
    if "reasoning" not in name and "plus-05-2026" not in name:
        budget["reason"] = f"Only Cohere's reasoning models take it. {ways}"
    narrow(specs, COHERE_REASONING, thinking_budget=budget)


def hugging_face(specs: Specs, name: str) -> None:
    narrow(specs, HUGGING_FACE, temperature={"default": 1.0}, top_p={"default": 1.0}, stop={"max": 4}, seed={})
    narrow(specs, HUGGING_FACE, top_logprobs={"max": 5}, frequency_penalty={}, presence_penalty={}, max_tokens={})
    narrow(specs, HUGGING_FACE, logprobs={}, response_format={}, system={}, reasoning_effort={})
    narrow(specs, HUGGING_FACE, n={"reason": "Hugging Face names it unused; providers behind it may take it."})
    lacking = ("min_p", "repetition_penalty", "top_k", "verbosity", "service_tier", "safety_settings")
    refuse(specs, "Hugging Face's chat API has no such parameter.", HUGGING_FACE, *lacking, "thinking_budget")
    doubt(specs, "The provider that Hugging Face routes to decides what it takes.")


def local(specs: Specs, name: str) -> None:
    narrow(specs, LLAMA, temperature={"default": 0.8}, top_p={"default": 0.95}, top_k={"default": 40})
    narrow(specs, LLAMA, min_p={"default": 0.05}, stop={}, max_tokens={}, logprobs={}, top_logprobs={})
    narrow(specs, LLAMA, frequency_penalty={}, presence_penalty={}, response_format={}, system={})
    narrow(specs, LLAMA, repetition_penalty={"min": 0.01, "reason": "Above 0: llama.cpp divides by it."})
    repeatable = "The largest number there is stands for a random one."
    narrow(specs, LLAMA, seed={"min": 0, "max": UINT32 - 2, "reason": repeatable})
    refuse(specs, "llama.cpp has no such parameter.", LLAMA, "verbosity", "service_tier", "safety_settings")
    general = "llama.cpp has no such parameter for models in general."
    refuse(specs, general, LLAMA, "thinking_budget", "reasoning_effort")


def compatible(specs: Specs, name: str) -> None:
    refuse(specs, "An OpenAI-compatible endpoint has no place for it.", "", "thinking_budget", "safety_settings")
    doubt(specs, "What this endpoint's models take is not known here; values are sent as they are.")
