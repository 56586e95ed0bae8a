"""Operations: what a run does, step by step, in plain functions without Prefect."""
