"""What every server of ours uses: limits, problem documents, bounded transfers and the check in a sandbox."""
