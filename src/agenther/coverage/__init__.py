"""How far hindsight goals reach beyond the original ones (paper, Appendix E); needs the extra `coverage`."""
