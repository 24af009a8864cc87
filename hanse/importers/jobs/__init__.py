"""Jobs on what was imported: the orders of one firm promised, shipped and received as signed facts.

Words
    place      a site of the firm that takes orders, so many a day.
    may serve  the site keeps the item, serves the customer, and a carrier's tariff fits the way and the weight.
    late       arrives after the day that was asked for.
"""
