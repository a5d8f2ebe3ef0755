"""Campaigns: the list, the editor of a draft, and the one screen of a campaign on its way."""
