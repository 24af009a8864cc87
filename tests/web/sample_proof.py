def sample_proof():
    return {"index": 5, "size": 8, "root": "x"}
