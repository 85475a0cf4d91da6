"""Builds the data files of the catalogue out of published packages. Never imported by the app, not in the wheel.

Facts only, each with its source. Where sources disagree, one wins; `merge.ORDER` is the rule, field by field:

1. by hand (`by_hand.json`): what was read on a vendor's own page, with its address and the day.
2. A vendor's SDK (openai, anthropic): for shutdown dates, before anything else but a page.
3. LangChain's provider packages: newest, and corrected per vendor.
4. models.dev of May 2026: for models LangChain has dropped since, knowledge dates, and the context window, where
   LangChain often has the largest input instead.
5. genai-prices: that a model exists, its window where no other knows it (Google's are rounded, so never those), and
   what its prices prove: a cache, a batch, a search.
6. litellm's table: kinds of work, limits and dates that nobody else has. Only what it affirms counts.
7. gpustack's catalogue: the licence of open weights, and nothing else.

What a model does (`chat`, `speech`, ...) is read off its name first where the name says it, as `-tts` or `-embedding`:
`kinds.py`. Prices of model-prices, metergraph-core, litellm and models.dev go to a file of their own, as witnesses.
"""
