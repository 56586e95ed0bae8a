WITH lines AS (
    SELECT
        spend.body, years.year, years.period_start, years.period_end, net_amount,
        coalesce(assigned_function, 'u-unknown') AS function_id,
        coalesce(spend.side, 'U') AS side,
        coalesce(spend.contested, FALSE) AS contested,
        coalesce(function_by, 'none') AS function_by,
        string_split(coalesce(function_rule, ''), ' ') AS rules
    FROM spend
    INNER JOIN years ON years.year = spend.financial_year
    WHERE net_amount IS NOT NULL
),

by_function AS (
    SELECT
        body, year, period_start, period_end, function_id, side,
        sum(net_amount) AS net,
        coalesce(sum(net_amount) FILTER (contested), 0) AS contested,
        sum(net_amount) < 0 AS is_held_out,
        count(*) AS n
    FROM lines
    GROUP BY ALL
),

-- Without their sign, credits do not hide what they are credits of.
by_method AS (
    SELECT
        body, year, period_start, period_end, count(*) AS n, sum(abs(net_amount)) AS pounds,
        coalesce(sum(abs(net_amount)) FILTER (function_by = 'declared'), 0) AS declared,
        coalesce(sum(abs(net_amount)) FILTER (function_by = 'rule'), 0) AS ruled,
        coalesce(sum(abs(net_amount)) FILTER (side IN ('O', 'I', 'X')), 0) AS known
    FROM lines
    GROUP BY ALL
),

methods AS (
    SELECT
        *,
        CAST(ruled AS DOUBLE) / nullif(pounds, 0) AS inferred_share,
        CAST(known AS DOUBLE) / nullif(pounds, 0) AS coverage
    FROM by_method
),

side_names AS (
    SELECT * FROM (
        VALUES ('O', 'Front line'), ('I', 'Overhead'), ('X', 'Not counted'), ('U', 'Unknown')
    ) AS names (side, label)
),

by_side AS (
    SELECT
        body, year, period_start, period_end, side,
        coalesce(sum(net) FILTER (NOT is_held_out), 0) AS net,
        coalesce(sum(n) FILTER (NOT is_held_out), 0) AS n
    FROM by_function
    GROUP BY ALL
),

totals AS (
    SELECT
        body, year, period_start, period_end, sum(net) AS net, sum(contested) AS contested, sum(n) AS n,
        coalesce(sum(net) FILTER (is_held_out), 0) AS held_out,
        count(*) FILTER (is_held_out) AS functions_held_out,
        coalesce(sum(net) FILTER (NOT is_held_out), 0) AS kept,
        coalesce(sum(net) FILTER (NOT is_held_out AND side IN ('O', 'I')), 0) AS sided,
        coalesce(sum(net) FILTER (NOT is_held_out AND side = 'U'), 0) AS unknown
    FROM by_function
    GROUP BY ALL
),

rows_made AS (
    SELECT
        totals.body, totals.year, totals.period_start, totals.period_end, 'net' AS figure, '' AS item,
        'All functions' AS item_label, CAST(totals.net AS DECIMAL(38, 2)) AS value, totals.n,
        CAST(NULL AS DOUBLE) AS lo, CAST(NULL AS DOUBLE) AS hi,
        totals.net AS part_sum, CAST(accounts.amount_gbp AS DECIMAL(38, 10)) AS total, '' AS status, '' AS reason
    FROM totals
    LEFT JOIN accounts
        ON accounts.dataset = 'spend' AND accounts.body = totals.body AND accounts.year = totals.year

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'net' AS figure, function_id AS item, functions.label AS item_label,
        CAST(net AS DECIMAL(38, 2)) AS value, n
    FROM by_function
    LEFT JOIN functions ON functions.id = by_function.function_id

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'side' AS figure, side AS item, label AS item_label,
        CAST(net AS DECIMAL(38, 2)) AS value, n
    FROM by_side
    INNER JOIN side_names USING (side)

    UNION ALL BY NAME
    SELECT
        by_side.body, by_side.year, by_side.period_start, by_side.period_end, 'side-share' AS figure, side AS item,
        label AS item_label, CAST(by_side.net AS DOUBLE) / nullif(kept, 0) AS value, by_side.n,
        CASE WHEN kept = 0 THEN 'withheld' END AS status,
        CASE WHEN kept = 0 THEN 'nothing was paid on balance' END AS reason
    FROM by_side
    INNER JOIN totals USING (body, year)
    INNER JOIN side_names USING (side)

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'known-share' AS figure, '' AS item, 'Front line and overhead' AS item_label,
        CAST(sided AS DOUBLE) / nullif(sided + unknown, 0) AS value, n,
        CASE WHEN sided + unknown = 0 THEN 'withheld' END AS status,
        CASE WHEN sided + unknown = 0 THEN 'no money of the year is front line, overhead or unknown' END AS reason
    FROM totals

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'contested' AS figure, '' AS item, 'All functions' AS item_label,
        CAST(contested AS DECIMAL(38, 2)) AS value, n
    FROM totals

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'contested' AS figure, function_id AS item,
        functions.label AS item_label, CAST(by_function.contested AS DECIMAL(38, 2)) AS value, n
    FROM by_function
    LEFT JOIN functions ON functions.id = by_function.function_id
    WHERE by_function.contested <> 0

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'held-out' AS figure, '' AS item,
        functions_held_out || if(functions_held_out = 1, ' function', ' functions') AS item_label,
        CAST(held_out AS DECIMAL(38, 2)) AS value, n
    FROM totals

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'held-out' AS figure, function_id AS item,
        functions.label AS item_label, CAST(net AS DECIMAL(38, 2)) AS value, n
    FROM by_function
    LEFT JOIN functions ON functions.id = by_function.function_id
    WHERE is_held_out

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'mission' AS figure, mission AS item, any_value(why) AS item_label,
        CAST(sum(net_amount) AS DECIMAL(38, 2)) AS value, count(*) AS n
    FROM lines
    INNER JOIN missions ON list_contains(rules, mission)
    GROUP BY ALL

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'declared-share' AS figure, '' AS item, 'Declared' AS item_label,
        CAST(declared AS DOUBLE) / nullif(pounds, 0) AS value, n
    FROM methods

    UNION ALL BY NAME
    SELECT
        body, year, period_start, period_end, 'rule-share' AS figure, '' AS item, 'By rule' AS item_label,
        CAST(ruled AS DOUBLE) / nullif(pounds, 0) AS value, n
    FROM methods
)

SELECT
    rows_made.body, rows_made.period_start, rows_made.period_end, figure, item, item_label, value, lo, hi, rows_made.n,
    methods.coverage, methods.inferred_share, part_sum, total, status, reason
FROM rows_made
INNER JOIN methods USING (body, year)
