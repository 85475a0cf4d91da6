"""The columns of the view `usage`, once, in order: recorder, segments, reader and filters all read them here."""

from __future__ import annotations

COLUMNS: dict[str, str] = {
    "id": "VARCHAR",
    "call_id": "VARCHAR",
    "attempt": "INTEGER",
    "part": "INTEGER",
    "started_at": "TIMESTAMP",
    "provider": "VARCHAR",
    "connection": "VARCHAR",
    "model": "VARCHAR",
    "model_reported": "VARCHAR",
    "mode": "VARCHAR",
    "task": "VARCHAR",
    "app": "VARCHAR",
    "user": "VARCHAR",
    "project": "VARCHAR",
    "preset": "VARCHAR",
    "preset_version": "INTEGER",
    "source": "VARCHAR",
    "source_id": "VARCHAR",
    "input_tokens": "BIGINT",
    "cache_read_tokens": "BIGINT",
    "cache_write_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "reasoning_tokens": "BIGINT",
    "input_audio_tokens": "BIGINT",
    "output_audio_tokens": "BIGINT",
    "audio_seconds": "DOUBLE",
    "images": "BIGINT",
    "requests": "BIGINT",
    "searches": "BIGINT",
    "latency_ms": "DOUBLE",
    "ttft_ms": "DOUBLE",
    "status": "VARCHAR",
    "error_kind": "VARCHAR",
    "usage_source": "VARCHAR",
    "cost_usd": "DECIMAL(18,10)",
    "price_source": "VARCHAR",
    "price_from": "DATE",
    "request_id": "VARCHAR",
    "tags": "MAP(VARCHAR, VARCHAR)",
    "raw_usage": "JSON",
}
"""Column name -> DuckDB type. `started_at` is UTC. A later version may append columns, never change or drop one."""

COLUMNS_VERSION = 1
"""Kept with each segment in the manifest; raised when a column is appended."""
