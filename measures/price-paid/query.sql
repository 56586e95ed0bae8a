-- Prices in the pounds of the year measured, if there is a deflator; contracts of the year and the two before it.
WITH recent AS (
    SELECT
        unit_prices.*, period_start, period_end,
        price::DOUBLE * coalesce(now_at.index / then_at.index, 1)::DOUBLE AS real_price
    FROM unit_prices
    CROSS JOIN years
    LEFT JOIN deflator AS now_at ON now_at.year = years.year
    LEFT JOIN deflator AS then_at ON then_at.year
        = (year(day) - (month(day) < 4)::INT) || '-'
        || lpad(((year(day) - (month(day) < 4)::INT + 1) % 100)::VARCHAR, 2, '0')
    WHERE day IS NULL OR (day <= period_end AND day >= period_start - INTERVAL 2 YEAR)
),

priced AS (SELECT * FROM recent WHERE lacks = '' AND price IS NOT NULL),

-- Two contracts agree in specification if a reviewer has said that they are for the same.
agreed AS (
    SELECT body_a AS body, item_a AS item FROM contract_pairs WHERE verdict IN ('separate', 'common-framework', 'joint')
    UNION
    SELECT body_b, item_b FROM contract_pairs WHERE verdict IN ('separate', 'common-framework', 'joint')
),

groups AS (
    SELECT
        specification, unit, count(*) AS contracts, count(DISTINCT priced.body) AS bodies,
        quantile_cont(real_price, 0.25) AS q1, quantile_cont(real_price, 0.75) AS q3, median(real_price) AS middle,
        min(real_price) AS least, max(real_price) AS most, bool_and(agreed.item IS NOT NULL) AS reviewed
    FROM priced LEFT JOIN agreed ON agreed.body = priced.body AND agreed.item = priced.item
    GROUP BY ALL
),

-- Contracts for the same whose unit cannot be converted count against the group.
unconverted AS (
    SELECT specification, count(*) AS contracts FROM recent WHERE lacks LIKE '%unit%' AND specification <> '' GROUP BY ALL
),

compared AS (
    SELECT
        groups.*, q3 + 1.5 * (q3 - q1) AS fence,
        groups.contracts / (groups.contracts + coalesce(unconverted.contracts, 0)) AS convertible,
        CASE
            WHEN bodies < 2 THEN 'no other body states a price for it'
            WHEN groups.contracts < 0.8 * (groups.contracts + coalesce(unconverted.contracts, 0)) THEN
                coalesce(unconverted.contracts, 0) || ' of ' || (groups.contracts + coalesce(unconverted.contracts, 0))
                || ' contracts for it have a unit that cannot be converted: at least 80% are needed'
        END AS withheld,
        bodies || CASE bodies WHEN 1 THEN ' body: £' ELSE ' bodies: £' END || format('{:,.2f}', least)
            || CASE WHEN most > least THEN ' to £' || format('{:,.2f}', most)
                || ' (' || format('{:.2f}', 100 * (most / least - 1)) || '% apart)' ELSE '' END AS range
    FROM groups LEFT JOIN unconverted USING (specification)
),

lines AS (
    SELECT
        priced.*, bodies, q1, q3, middle, fence, convertible, withheld, range, reviewed,
        priced.quantity::DOUBLE AS bought, real_price > fence AS beyond
    FROM priced INNER JOIN compared USING (specification, unit)
),

-- Against the lower quartile, never the lowest price; a price above the fence is probably another specification.
own AS (
    SELECT
        body, period_start, period_end, specification, unit,
        any_value(bodies) AS bodies, any_value(withheld) AS withheld, any_value(range) AS range,
        any_value(convertible) AS convertible, any_value(reviewed) AS reviewed,
        any_value(q1) AS q1, any_value(q3) AS q3, any_value(middle) AS middle, any_value(fence) AS fence,
        sum(bought) AS bought, count(*) AS n, bool_or(beyond) AS beyond, bool_and(stated) AS stated,
        sum(bought * real_price ORDER BY item) / sum(bought) AS price,
        coalesce(sum(bought * (real_price - q1) ORDER BY item) FILTER (real_price > q1 AND NOT beyond), 0) AS potential
    FROM lines GROUP BY ALL
),

shares AS (
    SELECT body, period_start, period_end, count(*) AS contracts, count(*) FILTER (lacks = '' AND price IS NOT NULL) AS priced
    FROM recent GROUP BY ALL
)

SELECT body, period_start, period_end, 'contracts-with-a-price' AS figure, '' AS item, '' AS item_label,
    priced::DOUBLE AS value, priced AS n, NULL::DOUBLE AS coverage, NULL::DOUBLE AS inferred_share,
    NULL::VARCHAR AS status,
    CASE WHEN priced = 0 THEN 'none of ' || contracts || ' contracts states a quantity and a unit'
        ELSE 'of ' || contracts || ' contracts; the others do not state a quantity or a unit' END AS reason
FROM shares

UNION ALL BY NAME
SELECT body, period_start, period_end, 'unit-price' AS figure, specification || ' (' || unit || ')' AS item,
    specification || ', price for one ' || unit || ', ' || format('{:,.0f}', bought) || ' bought' AS item_label,
    CASE WHEN withheld IS NULL THEN price END AS value, n, convertible AS coverage,
    CASE WHEN stated THEN 0 ELSE 1 END AS inferred_share,
    CASE
        WHEN withheld IS NOT NULL THEN 'withheld'
        WHEN bodies < 5 THEN 'list-only'
        WHEN NOT reviewed OR beyond THEN 'indicative'
    END AS status,
    CASE
        WHEN withheld IS NOT NULL THEN withheld
        WHEN bodies < 5 THEN range || '; fewer than 5 bodies are listed and not compared'
        ELSE range || '; a quarter pays £' || format('{:,.2f}', q1) || ' or less, a quarter £' || format('{:,.2f}', q3)
            || ' or more' || CASE WHEN beyond THEN
                '; above £' || format('{:,.2f}', fence) || ': probably another unit or specification' ELSE '' END
            || CASE WHEN reviewed THEN '' ELSE '; nobody has reviewed whether the specifications agree' END
    END AS reason
FROM own

UNION ALL BY NAME
SELECT body, period_start, period_end, 'potential' AS figure, specification || ' (' || unit || ')' AS item,
    specification AS item_label, CASE WHEN reviewed THEN potential END AS value, n,
    CASE WHEN NOT reviewed THEN 'withheld' END AS status,
    CASE WHEN NOT reviewed THEN
        'nobody has reviewed whether the specifications agree; if they do, it is £' || format('{:,.2f}', potential)
    END AS reason
FROM own WHERE withheld IS NULL AND bodies >= 5

UNION ALL BY NAME
SELECT body, period_start, period_end, 'potential' AS figure, '' AS item, '' AS item_label,
    sum(potential ORDER BY specification, unit) AS value, sum(n)::BIGINT AS n
FROM own WHERE withheld IS NULL AND bodies >= 5 AND reviewed GROUP BY ALL

-- Contracts that state a quantity, and still have no price that can be compared: what is lacking.
UNION ALL BY NAME
SELECT body, period_start, period_end, 'no-price' AS figure, item, any_value(title ORDER BY title) AS item_label,
    NULL::DOUBLE AS value, count(*) AS n, 'withheld' AS status,
    'it lacks ' || any_value(lacks ORDER BY lacks) AS reason
FROM recent WHERE lacks NOT IN ('', 'quantity and unit') GROUP BY body, period_start, period_end, item
