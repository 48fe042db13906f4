"""The pages of the app and what they share; docs/app.md says how a page is written."""
