"""learn2learn, imported without the banner that gym prints when learn2learn imports it."""

import gym_notices.notices as gym

gym.notices.clear()
import learn2learn as l2l  # noqa: E402

__all__ = ["l2l"]
