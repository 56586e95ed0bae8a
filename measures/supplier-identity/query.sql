-- What each supplier of a body was paid in the year, with who it is. Lines without a key have no usable name.
WITH paid AS (
    SELECT
        years.period_start, years.period_end, spend.body, spend.supplier_key,
        CASE WHEN spend.supplier_key IS NULL THEN spend.payee_class END AS unnamed_class,
        count(*) AS lines, greatest(sum(net_amount), 0) AS pounds
    FROM spend
    INNER JOIN years ON years.year = spend.financial_year
    WHERE net_amount IS NOT NULL
    GROUP BY ALL
),

known AS (
    SELECT
        paid.*, tier, checked_right,
        CASE
            WHEN paid.supplier_key IS NOT NULL THEN coalesce(status, 'unmatched')
            WHEN unnamed_class = 'person-or-redacted' THEN 'no-company-expected'
            ELSE 'unmatched'
        END AS status,
        CASE WHEN paid.supplier_key IS NULL THEN 'no-name' ELSE coalesce(payee_class, 'not-known') END AS payee_class
    FROM paid
    LEFT JOIN supplier_identities USING (body, supplier_key)
),

register AS (SELECT coalesce(bool_or(has_register), FALSE) AS supplied FROM supplier_identities),

checks AS (
    SELECT
        count(*) AS checked, count(*) FILTER (is_right) AS is_right
    FROM (
        SELECT supplier_key, bool_and(checked_right) AS is_right
        FROM supplier_identities WHERE checked_right IS NOT NULL GROUP BY supplier_key
    )
),

totals AS (
    SELECT
        body, period_start, period_end,
        count(*) FILTER (status <> 'no-company-expected') AS suppliers,
        coalesce(sum(pounds), 0) AS total,
        coalesce(sum(pounds) FILTER (status <> 'no-company-expected'), 0) AS in_scope,
        coalesce(sum(pounds) FILTER (status IN ('fact', 'candidate')), 0) AS matched,
        coalesce(sum(pounds) FILTER (status = 'fact'), 0) AS facts,
        coalesce(sum(pounds) FILTER (status = 'review'), 0) AS to_review,
        coalesce(sum(lines) FILTER (status <> 'no-company-expected'), 0) AS lines_in_scope,
        coalesce(sum(lines) FILTER (status IN ('fact', 'candidate')), 0) AS lines_matched,
        count(*) FILTER (status = 'review') AS review_suppliers
    FROM known
    GROUP BY ALL
),

reasons AS (
    SELECT
        totals.*, supplied,
        CASE
            WHEN NOT supplied
                THEN 'names need a register of companies, and none was supplied (piperoll measure --source companies=…)'
        END AS lacks
    FROM totals CROSS JOIN register
),

tiers AS (
    SELECT unnest(['1-published', '2-name', '3-previous-name', '4-reviewed']) AS tier,
        unnest(['number published by the body', 'same name', 'previous name', 'reviewed']) AS label,
        unnest([FALSE, TRUE, TRUE, FALSE]) AS needs_register
),

by_tier AS (
    SELECT body, tier, sum(pounds) AS pounds, count(*) AS n
    FROM known WHERE status IN ('fact', 'candidate') GROUP BY ALL
),

by_status AS (
    SELECT body, period_start, period_end, status, sum(pounds) AS pounds, count(*) AS n FROM known GROUP BY ALL
),

by_class AS (
    SELECT body, period_start, period_end, payee_class, sum(pounds) AS pounds, count(*) AS n
    FROM known WHERE status = 'unmatched' GROUP BY ALL
)

SELECT
    body, period_start, period_end, 'matched-share' AS figure, '' AS item, '' AS item_label,
    CASE WHEN supplied THEN matched::DOUBLE / nullif(in_scope, 0)::DOUBLE END AS value,
    facts::DOUBLE / nullif(in_scope, 0)::DOUBLE AS lo,
    (matched + to_review)::DOUBLE / nullif(in_scope, 0)::DOUBLE AS hi,
    suppliers AS n,
    CASE WHEN in_scope = 0 THEN 'nothing was paid to suppliers of whom a company is expected' ELSE lacks END AS reason
FROM reasons

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'fact-share' AS figure, '' AS item, '' AS item_label,
    facts::DOUBLE / nullif(in_scope, 0)::DOUBLE AS value, suppliers AS n,
    CASE WHEN in_scope = 0 THEN 'nothing was paid to suppliers of whom a company is expected' END AS reason
FROM reasons

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'matched-lines-share' AS figure, '' AS item, '' AS item_label,
    CASE WHEN supplied THEN lines_matched::DOUBLE / nullif(lines_in_scope, 0)::DOUBLE END AS value,
    lines_in_scope AS n, lacks AS reason
FROM reasons

UNION ALL BY NAME
SELECT
    reasons.body, period_start, period_end, 'matched-by-tier' AS figure, tiers.tier AS item, label AS item_label,
    CASE
        WHEN supplied OR NOT needs_register THEN coalesce(pounds, 0)::DOUBLE / nullif(in_scope, 0)::DOUBLE
    END AS value,
    coalesce(n, 0) AS n,
    CASE WHEN needs_register THEN lacks END AS reason
FROM reasons
CROSS JOIN tiers
LEFT JOIN by_tier ON by_tier.body = reasons.body AND by_tier.tier = tiers.tier

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'precision' AS figure, '' AS item, '' AS item_label,
    is_right::DOUBLE / nullif(checked, 0)::DOUBLE AS value,
    wilson_lo(is_right, nullif(checked, 0)) AS lo, wilson_hi(is_right, nullif(checked, 0)) AS hi, checked AS n,
    CASE
        WHEN lacks IS NOT NULL THEN lacks
        WHEN checked = 0 THEN 'no supplier has both a match by name and a number that was published or reviewed'
        WHEN wilson_lo(is_right, nullif(checked, 0)) < 0.95
            THEN 'the lower bound is under 95%: matches by name are candidates, and not facts'
    END AS reason
FROM reasons CROSS JOIN checks

UNION ALL BY NAME
SELECT
    by_status.body, by_status.period_start, by_status.period_end, 'pounds' AS figure, status AS item,
    replace(status, '-', ' ') AS item_label, pounds AS value, n,
    sum(pounds) OVER (PARTITION BY by_status.body) AS part_sum, total
FROM by_status INNER JOIN totals USING (body)

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'unmatched' AS figure, payee_class AS item,
    replace(payee_class, '-', ' ') AS item_label, pounds AS value, n
FROM by_class

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'review-suppliers' AS figure, '' AS item, '' AS item_label,
    review_suppliers AS value, suppliers AS n
FROM totals
