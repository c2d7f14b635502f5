"""The steps of the walk, one file each; a step claims rows, works, writes rows, commits."""
