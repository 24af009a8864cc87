"""The story: a bearing is out, a customer waits."""
