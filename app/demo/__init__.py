"""The demo: invented people, ninety days of what they did, journeys that are already moving. Nobody in it exists."""
