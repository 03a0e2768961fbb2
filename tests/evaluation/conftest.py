from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]
