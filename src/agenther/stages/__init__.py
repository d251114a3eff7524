"""The stages of the pipeline: each a protocol with rule implementations beside model ones."""
