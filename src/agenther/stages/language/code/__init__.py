"""What coding agents do: edits of files and runs of tests."""
