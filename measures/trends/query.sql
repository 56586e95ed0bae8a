WITH paid AS (
    SELECT
        spend.body, spend.financial_year = years.year AS is_now, substr(month, 6, 2) AS in_month,
        coalesce(part, '') AS list, coalesce(side, 'U') AS side, net_amount AS pounds
    FROM spend
    CROSS JOIN years
    WHERE net_amount IS NOT NULL AND (
        spend.financial_year = years.year
        OR spend.financial_year = (CAST(left(years.year, 4) AS INT) - 1) || '-' || substr(years.year, 3, 2)
    )
),

-- The months and lists that have lines in both years.
shared AS (
    SELECT body, in_month, list
    FROM paid
    WHERE in_month IS NOT NULL
    GROUP BY ALL
    HAVING count(*) FILTER (is_now) > 0 AND count(*) FILTER (NOT is_now) > 0
),

months AS (
    SELECT body, count(DISTINCT in_month) AS months FROM shared GROUP BY ALL
),

sums AS (
    SELECT
        body, item,
        sum(pounds) FILTER (is_now) AS now_pounds, sum(pounds) FILTER (NOT is_now) AS before_pounds,
        count(*) AS n
    FROM (
        SELECT body, is_now, pounds, '' AS item FROM paid INNER JOIN shared USING (body, in_month, list)
        UNION ALL BY NAME
        SELECT body, is_now, pounds, side AS item FROM paid INNER JOIN shared USING (body, in_month, list)
    )
    GROUP BY ALL
),

-- The first break that lies between the beginning of the year before and the end of this year.
cut AS (
    SELECT bodies.body, min(breaks.date) AS cut_on, min_by(breaks.reason, breaks.date) AS why
    FROM breaks
    CROSS JOIN years
    INNER JOIN bodies ON breaks.body IS NULL OR breaks.body = bodies.body
    WHERE breaks.dataset = 'spend'
        AND CAST(breaks.date AS DATE) > years.period_start - INTERVAL 1 YEAR
        AND CAST(breaks.date AS DATE) <= years.period_end
    GROUP BY ALL
),

prices AS (
    SELECT
        max(index) FILTER (deflator.year = years.year) AS now_index,
        max(index) FILTER (
            deflator.year = (CAST(left(years.year, 4) AS INT) - 1) || '-' || substr(years.year, 3, 2)
        ) AS before_index
    FROM deflator
    CROSS JOIN years
),

present AS (
    SELECT
        body, count(DISTINCT in_month) AS months, sum(pounds) AS pounds, count(*) AS n
    FROM paid
    WHERE is_now
    GROUP BY ALL
),

people AS (
    SELECT bodies.body, coalesce(max(population.population), max(bodies.population)) AS people
    FROM bodies
    CROSS JOIN years
    LEFT JOIN population ON population.body = bodies.body AND population.year = years.year
    GROUP BY ALL
),

compared AS (
    SELECT
        present.body, sums.item, sums.now_pounds, sums.before_pounds, sums.n,
        CASE
            WHEN cut.body IS NOT NULL THEN 'the line is cut on ' || cut.cut_on || ': ' || cut.why
            WHEN sums.body IS NULL THEN 'no month is published of both years'
            WHEN coalesce(sums.before_pounds, 0) <= 0 THEN 'the year before has no net spending to compare with'
        END AS why_not,
        CASE WHEN months.months < 12 THEN months.months || ' of 12 months are in both years' END AS note
    FROM present
    LEFT JOIN sums USING (body)
    LEFT JOIN months USING (body)
    LEFT JOIN cut USING (body)
)

SELECT
    body, period_start, period_end, 'change' AS figure, coalesce(item, '') AS item, coalesce(item, '') AS item_label,
    CASE WHEN why_not IS NULL THEN coalesce(now_pounds, 0)::DOUBLE / before_pounds::DOUBLE - 1 END AS value, n,
    coalesce(why_not, note) AS reason, NULL::DOUBLE AS coverage
FROM compared
CROSS JOIN years

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'change-real' AS figure, coalesce(item, '') AS item,
    coalesce(item, '') AS item_label,
    CASE
        WHEN why_not IS NULL
            THEN (coalesce(now_pounds, 0)::DOUBLE / now_index::DOUBLE) / (before_pounds::DOUBLE / before_index::DOUBLE)
                - 1
    END AS value, n, coalesce(why_not, note) AS reason
FROM compared
CROSS JOIN years
CROSS JOIN prices
WHERE now_index IS NOT NULL AND before_index IS NOT NULL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'now' AS figure, '' AS item, now_pounds AS value, n, note AS reason
FROM compared
CROSS JOIN years
WHERE item = ''

UNION ALL BY NAME
SELECT body, period_start, period_end, 'before' AS figure, '' AS item, before_pounds AS value, n, note AS reason
FROM compared
CROSS JOIN years
WHERE item = ''

UNION ALL BY NAME
SELECT body, period_start, period_end, 'months' AS figure, '' AS item, coalesce(months.months, 0) AS value,
    coalesce(months.months, 0) AS n
FROM present
LEFT JOIN months USING (body)
CROSS JOIN years

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'per-head' AS figure, '' AS item, pounds::DOUBLE / nullif(people, 0) AS value, n,
    CASE
        WHEN coalesce(people, 0) = 0
            THEN 'the number of people is not known: it can be supplied as the source "population"'
    END AS reason,
    CASE WHEN people > 0 THEN months / 12 END AS coverage
FROM present
INNER JOIN people USING (body)
CROSS JOIN years
