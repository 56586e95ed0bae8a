-- The newest statement of each service in the year: all channels together, or else its channels, added.
WITH stated AS (
    SELECT
        transactions.body, years.period_start, years.period_end, transactions.period_end AS until,
        coalesce(nullif(trim(service_id), ''), lower(concat_ws(': ', body_name, service_name))) AS item,
        service_name, body_name, nullif(lower(trim(transaction_category)), '') AS category,
        coalesce(lower(channel), 'all') AS channel, completed, cost_total, cost_per_transaction
    FROM transactions
    INNER JOIN years ON years.year = transactions.financial_year
    QUALIFY until = max(until) OVER (PARTITION BY transactions.body, item)
),

chosen AS (
    SELECT * FROM stated
    QUALIFY channel = 'all' OR count(*) FILTER (channel = 'all') OVER (PARTITION BY body, item) = 0
),

services AS (
    SELECT
        body, period_start, period_end, item,
        any_value(service_name ORDER BY service_name, channel) AS service,
        any_value(body_name ORDER BY body_name, channel) AS run_by,
        any_value(category ORDER BY category) AS category,
        count(*) AS n, sum(completed) AS transactions,
        sum(cost_total) FILTER (completed IS NOT NULL) AS total,
        count(cost_total) FILTER (completed IS NOT NULL) AS totals,
        -- Without a total, the stated cost of one transaction times their number is added.
        sum(coalesce(cost_total::DOUBLE, cost_per_transaction::DOUBLE * completed)) AS cost,
        count(coalesce(cost_total::DOUBLE, cost_per_transaction::DOUBLE * completed)) AS costs,
        CASE WHEN count(*) = 1 THEN any_value(cost_per_transaction) END::DOUBLE AS published
    FROM chosen
    GROUP BY ALL
),

valued AS (
    SELECT
        *,
        CASE WHEN totals = n AND transactions > 0 THEN total::DOUBLE / transactions END AS recomputed,
        CASE
            WHEN costs = n AND transactions > 0 THEN cost / transactions
            WHEN transactions IS NULL THEN published
        END AS own
    FROM services
),

checked AS (
    SELECT
        *,
        CASE
            WHEN own IS NULL THEN 'no cost is stated'
            WHEN transactions < 100 THEN
                'it is divided by ' || format('{:,}', transactions) || ' transactions: at least 100 are needed'
            WHEN published IS NOT NULL AND recomputed IS NOT NULL
                AND abs(published - recomputed) > greatest(0.005 * abs(recomputed), 0.005) THEN
                'published as £' || format('{:,.2f}', published) || ', but its own numbers give £'
                || format('{:,.2f}', recomputed) || CASE WHEN recomputed <> 0 THEN ': '
                    || format('{:.1f}', 100 * abs(published / recomputed - 1)) || '% apart' ELSE '' END
        END AS withheld
    FROM valued
),

-- Services are compared with those of the same kind of transaction, whoever runs them.
placed AS (
    SELECT
        *, CASE WHEN withheld IS NULL THEN own END AS value,
        count(*) FILTER (withheld IS NULL) OVER same AS peers,
        median(own) FILTER (withheld IS NULL) OVER same AS middle,
        quantile_cont(own, 0.25) FILTER (withheld IS NULL) OVER same AS q1,
        quantile_cont(own, 0.75) FILTER (withheld IS NULL) OVER same AS q3
    FROM checked
    WINDOW same AS (PARTITION BY category)
),

spread AS (
    SELECT
        *, median(abs(value - middle)) FILTER (value IS NOT NULL) OVER (PARTITION BY category) AS deviation
    FROM placed
),

noted AS (
    SELECT
        *,
        category IS NOT NULL AND peers >= 8 AND value IS NOT NULL AND (
            deviation > 0 AND abs(value - middle) > 3.5 * 1.4826 * deviation
            OR deviation = 0 AND q3 > q1 AND (value < q1 - 1.5 * (q3 - q1) OR value > q3 + 1.5 * (q3 - q1))
        ) AS is_outlier
    FROM spread
)

SELECT body, period_start, period_end, 'service' AS figure, item,
    concat_ws(', ', service, run_by, category, format('{:,}', transactions) || ' transactions') AS item_label,
    value, n, NULL::DOUBLE AS coverage,
    CASE
        WHEN withheld IS NOT NULL THEN 'withheld'
        WHEN transactions IS NULL OR category IS NULL OR peers < 8 OR (deviation = 0 AND q1 = q3) THEN 'list-only'
        WHEN is_outlier THEN 'indicative'
    END AS status,
    CASE
        WHEN withheld IS NOT NULL THEN withheld
        WHEN transactions IS NULL THEN 'the number of transactions is not stated'
        WHEN category IS NULL THEN 'the kind of transaction is not stated'
        WHEN peers < 8 THEN 'only ' || peers || ' service' || CASE peers WHEN 1 THEN '' ELSE 's' END
            || ' of the kind ''' || category || ''' with a value: 8 are needed to compare'
        WHEN deviation = 0 AND q1 = q3 THEN 'most services of the kind have the same value'
        WHEN is_outlier THEN 'check this unit: the median of ' || peers || ' services of the kind ''' || category
            || ''' is £' || format('{:,.2f}', middle)
        ELSE 'of ' || peers || ' services of the kind ''' || category || ''', the middle half costs £'
            || format('{:,.2f}', q1) || ' to £' || format('{:,.2f}', q3)
    END AS reason
FROM noted

-- All services of the body: pounds and transactions are added, then divided.
UNION ALL BY NAME
SELECT body, period_start, period_end, 'all-services' AS figure, '' AS item, '' AS item_label,
    sum(cost ORDER BY item) FILTER (usable) / sum(transactions) FILTER (usable) AS value, count(*) FILTER (usable) AS n,
    count(*) FILTER (usable) / count(*) AS coverage
FROM (SELECT *, withheld IS NULL AND costs = n AND transactions > 0 AS usable FROM noted)
GROUP BY body, period_start, period_end

UNION ALL BY NAME
SELECT body, period_start, period_end, 'transactions' AS figure,
    sum(transactions)::DOUBLE AS value, count(transactions) AS n
FROM noted GROUP BY body, period_start, period_end HAVING count(transactions) > 0

UNION ALL BY NAME
SELECT body, period_start, period_end, 'services' AS figure, count(*)::DOUBLE AS value, count(*) AS n,
    count(*) FILTER (withheld IS NULL) || ' with a cost that can be shown, '
    || count(*) FILTER (is_outlier) || ' to check' AS reason
FROM noted GROUP BY body, period_start, period_end
