-- A post costs between the ends of its band. Lists of salaries repeat posts of other lists.
WITH posts AS (
    SELECT
        roles.body, years.year,
        coalesce(assigned_function, 'u-unknown') AS function_id,
        coalesce(roles.side, 'U') AS side,
        coalesce(roles.contested, FALSE) AS contested,
        coalesce(function_by, 'none') AS function_by,
        CAST(coalesce(fte, headcount, 1) AS DECIMAL(14, 4)) AS fte,
        CAST(coalesce(salary_floor, salary, salary_ceiling) AS DECIMAL(14, 2)) AS low_pay,
        CAST(coalesce(salary_ceiling, salary, salary_floor) AS DECIMAL(14, 2)) AS high_pay
    FROM roles
    INNER JOIN years ON years.year = roles.financial_year
    WHERE coalesce(part, '') <> 'salaries'
        AND NOT regexp_matches(
            lower(concat_ws('|', '', trim(vacancy), trim(holder_name), '')),
            '\|(y|yes|true|vacant|eliminated|abolished|not in post)\|'
        )
),

pay_known AS (
    SELECT
        body, year, count(*) AS n, sum(fte) AS fte,
        coalesce(sum(fte) FILTER (low_pay > 0 AND high_pay > 0), 0) AS fte_with_pay,
        sum(fte * (low_pay + high_pay) / 2) FILTER (low_pay > 0 AND high_pay > 0) AS middle_pay
    FROM posts
    GROUP BY ALL
),

payments AS (
    SELECT
        spend.body, years.year,
        coalesce(assigned_function, 'u-unknown') AS function_id,
        coalesce(spend.side, 'U') AS side,
        coalesce(spend.contested, FALSE) AS contested,
        coalesce(function_by, 'none') AS function_by,
        CAST(net_amount + coalesce(irrecoverable_vat, 0) AS DECIMAL(38, 10)) AS net
    FROM spend
    INNER JOIN years ON years.year = spend.financial_year
    WHERE net_amount IS NOT NULL
),

paid AS (
    SELECT body, year, sum(net) AS net, count(*) AS n FROM payments GROUP BY ALL
),

thresholds AS (
    SELECT * FROM (VALUES (0), (250), (500), (25000)) AS chosen (pounds)
),

-- Payments together, by the highest of the thresholds above that each reaches: there are millions.
sums AS (
    SELECT
        body, year, function_id, side, contested, function_by,
        CASE
            WHEN abs(net) >= 25000 THEN 25000
            WHEN abs(net) >= 500 THEN 500
            WHEN abs(net) >= 250 THEN 250
            ELSE 0
        END AS reached,
        count(*) AS n, sum(net) AS net, sum(abs(net)) AS gross
    FROM payments
    GROUP BY ALL
),

-- Everything in one form: what counts, by part, with its middle and its ends. Payments have no ends.
counted AS (
    SELECT
        'spend' AS part, body, year, function_id, side, contested, function_by, n,
        net AS mid, net AS low, net AS high, gross
    FROM sums

    UNION ALL
    SELECT
        'spend-' || pounds, body, year, function_id, side, contested, function_by, n, net, net, net, gross
    FROM sums
    INNER JOIN thresholds ON reached >= pounds

    UNION ALL
    SELECT 'fte', body, year, function_id, side, contested, function_by, 1, fte, fte, fte, abs(fte)
    FROM posts

    UNION ALL
    SELECT
        'people', body, year, function_id, side, contested, function_by, 1,
        CAST(fte * (low_pay + high_pay) / 2 AS DECIMAL(38, 6)), fte * low_pay, fte * high_pay,
        CAST(abs(fte * (low_pay + high_pay) / 2) AS DECIMAL(38, 6))
    FROM posts
    WHERE low_pay > 0 AND high_pay > 0
),

with_total AS (
    SELECT part, body, year, function_id, side, contested, function_by, n,
        CAST(mid AS DECIMAL(38, 6)) AS mid, CAST(low AS DECIMAL(38, 6)) AS low, CAST(high AS DECIMAL(38, 6)) AS high,
        CAST(gross AS DECIMAL(38, 6)) AS gross
    FROM counted

    UNION ALL
    SELECT
        'total', counted.body, counted.year, function_id, side, contested, function_by, counted.n,
        CAST(CAST(mid AS DOUBLE) * rate AS DECIMAL(38, 6)),
        CAST(CAST(low AS DOUBLE) * rate AS DECIMAL(38, 6)),
        CAST(CAST(high AS DOUBLE) * rate AS DECIMAL(38, 6)),
        CAST(CAST(gross AS DOUBLE) * rate AS DECIMAL(38, 6))
    FROM counted
    INNER JOIN pay_known USING (body, year)
    INNER JOIN paid USING (body, year)
    LEFT JOIN control_totals USING (body, year),
    LATERAL (SELECT if(part = 'people', 1 + coalesce(CAST(on_cost_rate AS DOUBLE), 0), 1.0) AS rate)
    WHERE part IN ('spend', 'people')
),

-- Credits are subtracted within their function; what is contested is at most what the function has.
by_function AS (
    SELECT
        part, body, year, function_id, side, CAST(sum(n) AS BIGINT) AS n,
        sum(mid) AS mid, sum(low) AS low, sum(high) AS high,
        greatest(0, least(coalesce(sum(mid) FILTER (contested), 0), sum(mid))) AS mid_contested,
        greatest(0, least(coalesce(sum(low) FILTER (contested), 0), sum(low))) AS low_contested,
        greatest(0, least(coalesce(sum(high) FILTER (contested), 0), sum(high))) AS high_contested,
        sum(gross) AS gross,
        coalesce(sum(gross) FILTER (function_by = 'rule'), 0) AS gross_by_rule
    FROM with_total
    GROUP BY ALL
    HAVING sum(mid) > 0
),

function_amounts AS (
    SELECT
        part, body, year, function_id, side, n,
        CAST(mid AS DOUBLE) AS mid, CAST(low AS DOUBLE) AS low, CAST(high AS DOUBLE) AS high,
        CAST(mid_contested AS DOUBLE) AS mid_contested,
        CAST(low_contested AS DOUBLE) AS low_contested,
        CAST(high_contested AS DOUBLE) AS high_contested,
        CAST(gross AS DOUBLE) AS gross, CAST(gross_by_rule AS DOUBLE) AS gross_by_rule
    FROM by_function
    ORDER BY ALL
),

sides AS (
    SELECT
        part, body, year, sum(n) AS n,
        coalesce(sum(mid) FILTER (side = 'O'), 0) AS o,
        coalesce(sum(mid) FILTER (side = 'I'), 0) AS i,
        coalesce(sum(mid) FILTER (side = 'U'), 0) AS u,
        coalesce(sum(mid) FILTER (side = 'X'), 0) AS x,
        coalesce(sum(mid_contested) FILTER (side = 'X'), 0) AS k_x,
        -- For the low bound: front line at its lowest, all else at its highest; for the high bound the reverse.
        coalesce(sum(low - low_contested) FILTER (side = 'O'), 0) AS o_least,
        coalesce(sum(CASE
            WHEN side = 'O' OR side = 'X' THEN high_contested
            WHEN side IN ('I', 'U') THEN high
        END), 0) AS others_most,
        coalesce(sum(CASE
            WHEN side IN ('O', 'U') THEN high
            WHEN side IN ('I', 'X') THEN high_contested
        END), 0) AS o_most,
        coalesce(sum(low - low_contested) FILTER (side = 'I'), 0) AS i_least,
        sum(gross_by_rule) FILTER (side <> 'X') / nullif(sum(gross) FILTER (side <> 'X'), 0) AS inferred_share
    FROM function_amounts
    GROUP BY ALL
),

indexes AS (
    SELECT
        *,
        o / nullif(o + i, 0) AS value,
        o_least / nullif(o_least + others_most, 0) AS lo,
        o_most / nullif(o_most + i_least, 0) AS hi,
        (o + i) / nullif(o + i + u, 0) AS coverage
    FROM sides
),

-- Every body with payments or posts has each of the four parts, also where there is nothing to say.
wanted AS (
    SELECT parts.part, known.body, known.year
    FROM (VALUES ('spend'), ('people'), ('fte'), ('total')) AS parts (part)
    CROSS JOIN (
        SELECT body, year FROM paid UNION SELECT body, year FROM pay_known UNION SELECT body, year FROM systems
    ) AS known
),

facts AS (
    SELECT
        wanted.part, wanted.body, wanted.year, value, lo, hi, coverage, inferred_share, indexes.n,
        coalesce(o, 0) + coalesce(i, 0) AS sided,
        paid.net IS NOT NULL AS has_payments,
        pay_known.fte IS NOT NULL AS has_posts,
        CAST(fte_with_pay AS DOUBLE) / nullif(CAST(pay_known.fte AS DOUBLE), 0) AS share_with_pay,
        CAST(paid.net AS DOUBLE) / nullif(CAST(spend_gbp AS DOUBLE), 0) AS spend_coverage,
        CAST(middle_pay AS DOUBLE) / nullif(CAST(pay_gbp AS DOUBLE), 0) AS pay_coverage,
        on_cost_rate,
        wanted.part IN ('spend', 'total') AS needs_payments,
        wanted.part IN ('people', 'fte', 'total') AS needs_posts,
        wanted.part IN ('people', 'total') AS needs_pay
    FROM wanted
    LEFT JOIN indexes USING (part, body, year)
    LEFT JOIN paid USING (body, year)
    LEFT JOIN pay_known USING (body, year)
    LEFT JOIN control_totals USING (body, year)
),

judged AS (
    SELECT
        *,
        CASE
            WHEN needs_payments AND NOT has_payments THEN 'no payments of the year are published'
            WHEN needs_posts AND NOT has_posts THEN 'no posts of the year are published'
            WHEN needs_pay AND coalesce(share_with_pay, 0) < 0.8
                THEN format('a salary is published for {:.1f}% of the posts: at least 80% is needed', 100 * coalesce(share_with_pay, 0))
            WHEN needs_payments AND spend_coverage < 0.6
                THEN format('the payments published are {:.1f}% of the expenditure in the accounts: at least 60% is needed', 100 * spend_coverage)
            WHEN needs_pay AND pay_coverage < 0.8
                THEN format('the pay of the posts published is {:.1f}% of the employee cost in the accounts: at least 80% is needed', 100 * pay_coverage)
            WHEN sided = 0 THEN 'nothing is front line or overhead'
        END AS withheld_because,
        concat_ws(
            '; ',
            CASE WHEN part = 'spend' AND NOT has_posts
                THEN 'it leaves out pay, which no published post of the year shows: most overhead is pay' END,
            CASE WHEN needs_payments AND spend_coverage IS NULL
                THEN 'how much of the expenditure is published is not known: no control total is supplied' END,
            CASE WHEN needs_pay AND pay_coverage IS NULL
                THEN 'how much of the pay is published is not known: no control total is supplied' END,
            CASE WHEN part = 'total' AND on_cost_rate IS NULL
                THEN 'pay is without the employer''s pension and national insurance: no on-cost rate is supplied' END
        ) AS uncertain_because
    FROM facts
),

-- Whether systems are the body's own or shared, in pounds; and for each capability, because a free one costs nothing.
system_costs AS (
    SELECT
        body, year, count(*) AS n,
        CAST(coalesce(sum(CAST(cost_gbp AS DECIMAL(38, 2))) FILTER (ownership = 'shared'), 0) AS DOUBLE) AS shared,
        CAST(coalesce(sum(CAST(cost_gbp AS DECIMAL(38, 2))) FILTER (ownership = 'own'), 0) AS DOUBLE) AS own,
        CAST(coalesce(sum(CAST(cost_gbp AS DECIMAL(38, 2))) FILTER (coalesce(ownership, '') NOT IN ('shared', 'own')), 0) AS DOUBLE) AS unknown
    FROM systems
    WHERE coalesce(ownership, '') <> 'none'
    GROUP BY ALL
),

system_shares AS (
    SELECT
        *,
        shared / nullif(shared + own + unknown, 0) AS lo,
        (shared + unknown) / nullif(shared + own + unknown, 0) AS hi,
        coalesce((shared + own) / nullif(shared + own + unknown, 0), 0) >= 0.6 AS is_enough
    FROM system_costs
),

ownership AS (
    SELECT
        wanted.body, wanted.year, n, shared, own, unknown, lo, hi, coalesce(is_enough, FALSE) AS is_enough,
        CASE
            WHEN NOT coalesce(is_enough, FALSE) THEN ''
            WHEN hi < 1.0 / 3 THEN 'own'
            WHEN lo > 2.0 / 3 THEN 'shared'
            ELSE 'mixed'
        END AS word
    FROM wanted
    LEFT JOIN system_shares ON system_shares.body = wanted.body AND system_shares.year = wanted.year
    WHERE part = 'total'
),

capabilities AS (
    SELECT
        systems.body, systems.year, capability,
        CASE
            WHEN bool_or(ownership = 'shared') THEN 'shared'
            WHEN bool_or(ownership = 'own') THEN 'own'
            WHEN bool_and(ownership = 'none') THEN 'none'
            ELSE 'unknown'
        END AS ownership
    FROM systems
    GROUP BY ALL
),

contested_functions AS (
    SELECT function_amounts.*, functions.label
    FROM function_amounts
    INNER JOIN functions ON functions.id = function_amounts.function_id
    WHERE part = 'spend' AND mid_contested > 0
),

made AS (
    SELECT
        body, year, part AS figure, '' AS item, '' AS item_label, n, value, lo, hi, coverage, inferred_share,
        CASE WHEN withheld_because IS NOT NULL THEN 'withheld' WHEN uncertain_because <> '' THEN 'indicative' END
            AS status,
        coalesce(withheld_because, uncertain_because) AS reason
    FROM judged

    UNION ALL BY NAME
    SELECT
        body, year, 'excluded' AS figure, '' AS item, '' AS item_label, n, x AS value, x - k_x AS lo, x AS hi
    FROM sides
    WHERE part = 'spend'

    -- The contested part of an excluded function may be on either side: its ends are the two.
    UNION ALL BY NAME
    SELECT
        one.body, one.year, 'swing' AS figure, function_id AS item, label AS item_label, one.n,
        CASE side
            WHEN 'O' THEN (o - mid_contested) / nullif(o + i, 0)
            WHEN 'I' THEN (o + mid_contested) / nullif(o + i, 0)
            ELSE indexes.value
        END AS value,
        CASE WHEN side = 'X' THEN o / nullif(o + i + mid_contested, 0) END AS lo,
        CASE WHEN side = 'X' THEN (o + mid_contested) / nullif(o + i + mid_contested, 0) END AS hi,
        indexes.coverage, indexes.inferred_share,
        CASE WHEN withheld_because IS NOT NULL THEN 'withheld' ELSE 'indicative' END AS status,
        coalesce(withheld_because, 'it is what the index would be, and not what it is') AS reason
    FROM contested_functions AS one
    INNER JOIN indexes ON indexes.part = 'spend' AND indexes.body = one.body AND indexes.year = one.year
    INNER JOIN judged ON judged.part = 'spend' AND judged.body = one.body AND judged.year = one.year

    UNION ALL BY NAME
    SELECT
        body, year, 'sensitivity' AS figure, 'from-' || pounds AS item,
        CASE WHEN pounds = 0 THEN 'All published lines' ELSE format('Lines from £{:,} on', pounds) END AS item_label,
        n, value, lo, hi, coverage, inferred_share,
        CASE WHEN value IS NULL THEN 'withheld' ELSE 'indicative' END AS status,
        CASE WHEN value IS NULL THEN 'no line from the threshold on is front line or overhead'
            ELSE 'it leaves out pay and everything below the threshold' END AS reason
    FROM indexes
    INNER JOIN thresholds ON part = 'spend-' || pounds

    UNION ALL BY NAME
    SELECT
        body, year, 'components' AS figure, '' AS item, word AS item_label, n,
        shared / nullif(shared + own, 0) AS value, lo, hi,
        CASE WHEN is_enough THEN '' ELSE 'withheld' END AS status,
        CASE
            WHEN is_enough THEN ''
            WHEN n IS NULL
                THEN 'no list of systems is published, with what each costs and whether it is shared with other bodies'
            ELSE format(
                'whether a system is shared is known for {:.1f}% of what systems cost: at least 60% is needed',
                100 * coalesce((shared + own) / nullif(shared + own + unknown, 0), 0)
            )
        END AS reason
    FROM ownership

    UNION ALL BY NAME
    SELECT body, year, 'capabilities' AS figure, ownership AS item, ownership AS item_label, count(*) AS value, count(*) AS n
    FROM capabilities
    GROUP BY ALL
)

SELECT
    made.body, period_start, period_end, figure, item, item_label, value, lo, hi, n, coverage, inferred_share,
    status, reason
FROM made
INNER JOIN years USING (year)
INNER JOIN bodies ON bodies.body = made.body -- Outside tables may name others.
