from tiny_training import config, one_thread, sample

__all__ = ["config", "one_thread", "sample"]
