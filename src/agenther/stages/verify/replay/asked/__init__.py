"""Whether a goal asks for just what calls did: its values, words and sentences beside the calls, turn by turn."""
