-- Lines that say who was paid, and those that say what they are for; amounts without their sign.
WITH paid AS (
    SELECT
        years.year, years.period_start, years.period_end, spend.body, abs(net_amount) AS pounds, payee_class, redaction,
        coalesce(side, 'U') = 'U' AS is_unclassified,
        coalesce(supplier_company_number, supplier_charity_number, supplier_org_id) IS NULL AS is_unmatched,
        payee_class = 'person-or-redacted' OR coalesce(redaction, 'none') <> 'none' AS is_redacted
    FROM spend
    INNER JOIN years ON years.year = spend.financial_year
    WHERE net_amount IS NOT NULL
),

shares AS (
    SELECT
        period_start, period_end, body, count(*) AS n, sum(pounds) AS pounds,
        sum(pounds) FILTER (is_redacted) AS redacted,
        sum(pounds) FILTER (is_unclassified) AS unclassified,
        sum(pounds) FILTER (NOT is_redacted) AS matchable,
        sum(pounds) FILTER (is_unmatched AND NOT is_redacted) AS unmatched
    FROM paid
    GROUP BY ALL
),

-- Lines without a date in tables longer than a year belong to no year: they count where their table begins.
without_year AS (
    SELECT 'spend' AS dataset, body, series, net_amount AS pounds FROM spend WHERE financial_year IS NULL
    UNION ALL
    SELECT 'contracts', body, series, coalesce(original_value, current_value) FROM contracts
    WHERE financial_year IS NULL
    UNION ALL
    SELECT 'roles', body, series, NULL FROM roles WHERE financial_year IS NULL
    UNION ALL
    SELECT 'transactions', body, series, NULL FROM transactions WHERE financial_year IS NULL
),

undated AS (
    SELECT dataset, body, years.period_start, years.period_end, count(*) AS n, sum(pounds) AS pounds
    FROM without_year
    INNER JOIN years
        ON substr(split_part(series, '/', 3), 1, 7)
        BETWEEN strftime(years.period_start, '%Y-%m') AND strftime(years.period_end, '%Y-%m')
    GROUP BY ALL
),

own AS (
    SELECT accounts.*, years.period_start, years.period_end FROM accounts INNER JOIN years USING (year)
),

held_here AS (
    SELECT held.*, years.period_start, years.period_end FROM held INNER JOIN years USING (year)
)

SELECT body, period_start, period_end, 'months' AS figure, dataset AS item, dataset AS item_label,
    len(months) AS value, rows AS n
FROM own WHERE rows = 0 OR len(months) > 0

UNION ALL BY NAME
SELECT body, period_start, period_end, 'published-rows' AS figure, dataset AS item, dataset AS item_label,
    rows AS value, rows AS n
FROM own

UNION ALL BY NAME
SELECT body, period_start, period_end, 'published' AS figure, dataset AS item, dataset AS item_label,
    amount_gbp AS value, rows AS n
FROM own WHERE amount_gbp IS NOT NULL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'left-out-rows' AS figure, dataset AS item, dataset AS item_label,
    left_out_rows AS value, left_out_rows AS n
FROM own

UNION ALL BY NAME
SELECT body, period_start, period_end, 'left-out' AS figure, dataset AS item, dataset AS item_label,
    left_out_gbp AS value, left_out_rows AS n
FROM own WHERE left_out_gbp IS NOT NULL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'held-rows' AS figure, dataset AS item, dataset AS item_label,
    rows AS value, rows AS n
FROM held_here

UNION ALL BY NAME
SELECT body, period_start, period_end, 'held' AS figure, dataset AS item, dataset AS item_label,
    amount_gbp AS value, rows AS n
FROM held_here WHERE amount_gbp IS NOT NULL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'undated-share' AS figure, dataset AS item, dataset AS item_label,
    undated_rows / nullif(rows, 0) AS value, undated_rows AS n
FROM own WHERE rows > 0

UNION ALL BY NAME
SELECT body, period_start, period_end, 'undated-rows' AS figure, dataset AS item, dataset AS item_label,
    n AS value, n
FROM undated

UNION ALL BY NAME
SELECT body, period_start, period_end, 'undated' AS figure, dataset AS item, dataset AS item_label,
    pounds AS value, n
FROM undated WHERE pounds IS NOT NULL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'redacted-share' AS figure, 'spend' AS item, 'spend' AS item_label,
    coalesce(redacted, 0)::DOUBLE / nullif(pounds, 0)::DOUBLE AS value, n
FROM shares

UNION ALL BY NAME
SELECT body, period_start, period_end, 'unclassified-share' AS figure, 'spend' AS item, 'spend' AS item_label,
    coalesce(unclassified, 0)::DOUBLE / nullif(pounds, 0)::DOUBLE AS value, n
FROM shares

UNION ALL BY NAME
SELECT body, period_start, period_end, 'unmatched-share' AS figure, 'spend' AS item, 'spend' AS item_label,
    coalesce(unmatched, 0)::DOUBLE / nullif(matchable, 0)::DOUBLE AS value, n
FROM shares
