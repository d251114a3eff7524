"""Trainers for what TRL does not train by itself: weights, the agent's tokens only, the paper's contrast of goals.

Thin over TRL. What imports torch is imported only when a training begins (extra `train`).
"""
