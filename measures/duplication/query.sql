-- Each pair seen from each of its two bodies, if both contracts ran in the year or do not say when.
WITH sides AS (
    SELECT pair, score, tier, type, evidence, verdict, bought_for,
        body_a AS body, item_a AS item, title_a AS title, value_a AS value, starts_a AS starts, ends_a AS ends,
        body_b AS other, title_b AS other_title, starts_b AS other_starts, ends_b AS other_ends
    FROM contract_pairs
    UNION ALL
    SELECT pair, score, tier, type, evidence, verdict, bought_for,
        body_b, item_b, title_b, value_b, starts_b, ends_b, body_a, title_a, starts_a, ends_a
    FROM contract_pairs
),

seen AS (
    SELECT sides.*, period_start, period_end, bodies.name AS other_name, coalesce(nullif(verdict, ''), type) AS is_now
    FROM sides
    CROSS JOIN years
    LEFT JOIN bodies ON bodies.body = sides.other
    WHERE coalesce(starts, other_starts, period_start) <= period_end
        AND coalesce(other_starts, starts, period_start) <= period_end
        AND coalesce(ends, period_end) >= period_start AND coalesce(other_ends, period_end) >= period_start
),

-- Every body with contracts has the counts, also where they are 0.
publishing AS (
    SELECT DISTINCT contracts.body, years.period_start, years.period_end FROM contracts CROSS JOIN years
),

counted AS (
    SELECT
        body, period_start, period_end,
        count(pair) FILTER (tier = 'candidate' AND type = 'separate') AS separate,
        count(pair) FILTER (tier = 'candidate' AND type = 'common-framework') AS framework,
        count(pair) FILTER (tier = 'candidate' AND type = 'joint') AS joint,
        count(pair) FILTER (tier = 'review' OR (tier = 'candidate' AND type = 'unclear')) AS unsure,
        count(pair) FILTER (verdict <> '') AS reviewed,
        count(pair) FILTER (verdict = 'separate') AS confirmed
    FROM publishing LEFT JOIN seen USING (body, period_start, period_end)
    GROUP BY ALL
),

-- The other bodies that have the same need as a contract, also those for which a contract says that it was bought: what
-- a reviewer confirmed, what is a candidate, and at most.
named AS (
    SELECT seen.*, bodies_named.also
    FROM seen, unnest(list_distinct(list_concat([other], string_split(bought_for, ' ')))) AS bodies_named(also)
    WHERE bodies_named.also NOT IN ('', body)
),

needs AS (
    SELECT
        body, period_start, period_end, item, any_value(title ORDER BY pair) AS title, max(value) AS value,
        count(DISTINCT also) FILTER (verdict = 'separate') AS lo,
        count(DISTINCT also) FILTER (is_now = 'separate' AND (tier = 'candidate' OR verdict <> '')) AS bodies,
        count(DISTINCT also) FILTER (is_now IN ('separate', 'unclear')) AS hi
    FROM named
    GROUP BY ALL
    HAVING count(*) FILTER (is_now = 'separate') > 0
),

-- £ by capability and supplier over all bodies, of contracts that ran in the year.
bought AS (
    SELECT
        contracts.body, years.period_start, years.period_end,
        CASE WHEN regexp_matches(category_code, '^[0-9]{4}') THEN category_code[:4] ELSE lower(trim(category_label)) END
            AS capability,
        coalesce(supplier_key, lower(trim(supplier_name))) AS supplier,
        coalesce(current_value, original_value) AS value
    FROM contracts CROSS JOIN years
    WHERE coalesce(current_value, original_value) > 1 AND coalesce(current_value, original_value) < 999999999
        AND coalesce(start_date, award_date, years.period_start) <= years.period_end
        AND coalesce(end_date_actual, current_end_date, original_end_date, years.period_end) >= years.period_start
        AND NOT regexp_matches(lower(concat_ws(' ', contract_type)), 'framework|dynamic')
),

by_supplier AS (
    SELECT period_start, period_end, capability, supplier, sum(value) AS value
    FROM bought WHERE supplier IS NOT NULL AND capability <> '' GROUP BY ALL
),

concentration AS (
    SELECT
        period_start, period_end, capability, count(*) AS suppliers,
        pow(sum(value)::DOUBLE, 2) / sum(value::DOUBLE * value::DOUBLE ORDER BY supplier) AS effective
    FROM by_supplier GROUP BY ALL
),

answered AS (
    SELECT period_start, period_end, capability, count(DISTINCT body) AS bodies,
        (SELECT count(DISTINCT contracts.body) FROM contracts) AS of_bodies
    FROM bought WHERE supplier IS NOT NULL AND capability <> '' GROUP BY ALL
)

SELECT body, period_start, period_end, 'same-need-separate' AS figure, '' AS item, '' AS item_label,
    separate::DOUBLE AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, separate AS n, NULL::DOUBLE AS coverage,
    CASE WHEN separate > confirmed THEN 'indicative' END AS status,
    CASE WHEN separate > confirmed THEN
        'candidates: a reviewer has confirmed ' || confirmed || ' pair' || CASE confirmed WHEN 1 THEN '' ELSE 's' END END
        AS reason
FROM counted

UNION ALL BY NAME
SELECT body, period_start, period_end, 'common-framework' AS figure, framework::DOUBLE AS value, framework AS n
FROM counted

UNION ALL BY NAME
SELECT body, period_start, period_end, 'joint' AS figure, joint::DOUBLE AS value, joint AS n FROM counted

UNION ALL BY NAME
SELECT body, period_start, period_end, 'to-review' AS figure, unsure::DOUBLE AS value, unsure AS n FROM counted

UNION ALL BY NAME
SELECT body, period_start, period_end, 'reviewed' AS figure, reviewed::DOUBLE AS value, reviewed AS n FROM counted

UNION ALL BY NAME
SELECT body, period_start, period_end, 'reviewed-separate' AS figure, confirmed::DOUBLE AS value, confirmed AS n
FROM counted

-- Only reviewed pairs enter the total; a contract counts once, however many bodies have the same need.
UNION ALL BY NAME
SELECT body, period_start, period_end, 'reviewed-separate-value' AS figure, sum(value)::DOUBLE AS value, count(*) AS n
FROM (
    SELECT DISTINCT body, period_start, period_end, item, value FROM seen WHERE verdict = 'separate' AND value IS NOT NULL
)
GROUP BY ALL

UNION ALL BY NAME
SELECT body, period_start, period_end, 'bodies-with-the-need' AS figure, item, title AS item_label,
    bodies::DOUBLE AS value, lo::DOUBLE AS lo, hi::DOUBLE AS hi, bodies AS n,
    CASE WHEN lo < hi THEN 'indicative' END AS status
FROM needs

UNION ALL BY NAME
SELECT body, period_start, period_end, 'pairs' AS figure, pair AS item,
    title || '; ' || coalesce(other_name, other) || ': ' || other_title AS item_label,
    score AS value, 1 AS n,
    CASE WHEN verdict = '' THEN 'indicative' ELSE 'shown' END AS status,
    CASE
        WHEN verdict <> '' THEN 'reviewed: ' || replace(verdict, '-', ' ')
        WHEN tier = 'review' THEN 'to review, perhaps ' || replace(type, '-', ' ') || ': ' || evidence
        ELSE 'candidate, ' || replace(type, '-', ' ') || ': ' || evidence
    END AS reason
FROM seen

UNION ALL BY NAME
SELECT DISTINCT
    bought.body, bought.period_start, bought.period_end, 'effective-suppliers' AS figure, capability AS item,
    capability || ': ' || suppliers || ' suppliers to ' || bodies || ' of ' || of_bodies || ' bodies' AS item_label,
    CASE WHEN bodies >= 5 AND bodies >= 0.6 * of_bodies THEN effective END AS value, suppliers AS n,
    bodies / of_bodies AS coverage,
    CASE WHEN bodies < 5 OR bodies < 0.6 * of_bodies THEN 'withheld' END AS status,
    CASE
        WHEN bodies < 5 THEN 'only ' || bodies || ' of ' || of_bodies || ' bodies have such contracts: 5 are needed'
        WHEN bodies < 0.6 * of_bodies THEN bodies || ' of ' || of_bodies || ' bodies have such contracts: 60% are needed'
    END AS reason
FROM bought
INNER JOIN concentration USING (period_start, period_end, capability)
INNER JOIN answered USING (period_start, period_end, capability)
WHERE bodies > 1
