"""Asking language models: one small protocol, composed by wrapping. What is asked belongs to the stages."""
