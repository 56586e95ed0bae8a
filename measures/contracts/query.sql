-- Each published row of a contracts register, notice or award, of every version.
WITH stated AS (
    SELECT
        body, series, version, published, source_row, line_id,
        period_end AS as_at, coalesce(period_start, period_end) AS begins,
        nullif(trim(title), '') AS title,
        nullif(trim(supplier_name), '') AS supplier,
        trim(regexp_replace(lower(coalesce(supplier_name, '')), '[^a-z0-9]+', ' ', 'g')) AS supplier_words,
        coalesce(nullif(trim(contract_ref), ''), nullif(trim(ocid), '')) AS reference,
        coalesce(nullif(trim(award_ref), ''), lower(trim(title)), '') AS lot,
        coalesce(
            nullif(trim(category_code), ''), lower(trim(category_label)), lower(trim(service_label)), ''
        ) AS capability,
        lower(coalesce(stage, '')) AS stage,
        lower(coalesce(status, '')) AS status,
        lower(coalesce(process_type, '')) AS process,
        lower(concat_ws(' ', contract_type, title)) AS kind_words,
        nullif(trim(parent_ref), '') AS parent,
        -- 0, £1 and 999,999,999 stand for "not known" in registers.
        CASE WHEN original_value > 1 AND original_value < 999999999 THEN original_value END AS original,
        CASE WHEN current_value > 1 AND current_value < 999999999 THEN current_value END AS latest,
        CASE WHEN end_value > 1 AND end_value < 999999999 THEN end_value END AS final,
        original_value IS NOT NULL OR current_value IS NOT NULL AS value_given,
        coalesce(amendment_value, current_value, original_value) AS amendment,
        amendment_value IS NULL AND current_value IS NOT NULL AS amendment_is_current,
        lower(coalesce(amendment_basis, '')) AS basis,
        start_date, end_date_actual, max_end_date, release_date,
        coalesce(original_end_date, current_end_date) AS first_end,
        coalesce(current_end_date, original_end_date) AS last_end,
        coalesce(has_renewal, FALSE) OR coalesce(has_options, FALSE)
            OR nullif(trim(renewal_description), '') IS NOT NULL
            OR nullif(trim(extension_options), '') IS NOT NULL AS can_be_longer
    FROM contract_releases
),

-- Grouped by reference; without one, by supplier, original value and start, as GoC-Spending/contracts-data does.
keyed AS (
    SELECT
        *,
        coalesce(
            reference,
            'no-reference-' || md5(concat_ws('|', body, coalesce(nullif(supplier_words, ''), lower(title)),
                original, start_date))[:12]
        ) AS item,
        regexp_matches(stage, 'amend|variation|modif') AS is_amendment
    FROM stated
    WHERE NOT (regexp_matches(stage, '^(planning|tender)') AND original IS NULL AND latest IS NULL)
),

-- What was known at the end of each measured year: tables whose period had begun by then. A register of several years
-- is known at the end of each.
snapshots AS (
    SELECT
        years.year, years.period_start, years.period_end, keyed.body,
        max(least(keyed.as_at, years.period_end)) AS as_at
    FROM years
    INNER JOIN keyed ON keyed.begins <= years.period_end
    GROUP BY ALL
    HAVING max(least(keyed.as_at, years.period_end)) >= years.period_start
),

known AS (
    SELECT snapshots.year, snapshots.period_start, snapshots.period_end, snapshots.as_at AS today, keyed.*
    FROM snapshots
    INNER JOIN keyed ON keyed.body = snapshots.body AND keyed.begins <= snapshots.period_end
),

-- One statement of a contract by one version of one table. Rows with the same lot and the same value are suppliers of
-- one contract, so the value counts once; other lots are added.
lots AS (
    SELECT DISTINCT year, body, item, as_at, version, series, lot, original, latest, final
    FROM known
    WHERE NOT is_amendment
),

statements AS (
    SELECT
        year, body, item, as_at, version, series,
        sum(original) AS original, sum(latest) AS latest, sum(final) AS final,
        coalesce(sum(original), sum(latest)) AS first_value,
        coalesce(sum(latest), sum(original)) AS last_value
    FROM lots
    GROUP BY ALL
),

valued AS (
    SELECT
        year, body, item,
        first(first_value ORDER BY as_at, version, series) FILTER (first_value IS NOT NULL) AS original,
        last(last_value ORDER BY as_at, version, series) FILTER (last_value IS NOT NULL) AS latest,
        last(final ORDER BY as_at, version, series) FILTER (final IS NOT NULL) AS final,
        -- Both values in one row, or a value in two versions or tables.
        count(*) FILTER (original IS NOT NULL AND latest IS NOT NULL) > 0 OR count(last_value) > 1 AS has_both,
        last(original IS NOT NULL AND latest IS NOT NULL ORDER BY as_at, version, series) AS restated
    FROM statements
    GROUP BY ALL
),

-- An amendment that is in several versions counts once.
amendments AS (
    SELECT
        year, body, item, line_id, amendment,
        min(coalesce(release_date, as_at)) AS noted_on, min(as_at) AS first_as_at, min(source_row) AS at_row,
        CASE
            WHEN regexp_matches(min(basis), 'index|inflation|\b[cr]pi') THEN 'indexation'
            WHEN regexp_matches(min(basis), 'total|new value|revised') OR bool_and(amendment_is_current) THEN 'total'
            WHEN regexp_matches(min(basis), 'delta|change|increase|decrease|difference|addition') THEN 'delta'
            WHEN min(amendment) < 0 THEN 'delta'
            ELSE 'unstated'
        END AS reads_as
    FROM known
    WHERE is_amendment AND amendment IS NOT NULL AND abs(amendment) < 999999999
        AND (abs(amendment) > 1 OR amendment < 0)
    GROUP BY ALL
),

amendment_lists AS (
    SELECT
        year, body, item, count(*) AS amendments,
        list({
            'k': reads_as, 'v': amendment::DECIMAL(38, 2), 'lo': amendment::DECIMAL(38, 2),
            'hi': amendment::DECIMAL(38, 2), 'x': 0::DECIMAL(38, 2)
        } ORDER BY noted_on, first_as_at, at_row, line_id) AS steps
    FROM amendments
    GROUP BY ALL
),

amended AS (
    SELECT
        year, body, item, original, final, has_both, coalesce(amendments, 0) AS amendments,
        -- A register that states both values has said what its amendments came to.
        CASE
            WHEN restated OR steps IS NULL OR latest IS NULL
                THEN {
                    'k': '', 'v': latest::DECIMAL(38, 2), 'lo': latest::DECIMAL(38, 2),
                    'hi': latest::DECIMAL(38, 2), 'x': 0::DECIMAL(38, 2)
                }
            ELSE list_reduce(
                list_prepend({
                    'k': '', 'v': latest::DECIMAL(38, 2), 'lo': latest::DECIMAL(38, 2),
                    'hi': latest::DECIMAL(38, 2), 'x': 0::DECIMAL(38, 2)
                }, steps),
                LAMBDA so_far, step: {
                    'k': step.k,
                    -- Unstated: the amount is the new total (the point, as OCDS defines it) or the change.
                    'v': CASE
                        WHEN step.k IN ('total', 'unstated') THEN step.v
                        ELSE (so_far.v + step.v)::DECIMAL(38, 2) END,
                    'lo': CASE step.k
                        WHEN 'total' THEN step.v
                        WHEN 'unstated' THEN least(step.v, (so_far.lo + step.v)::DECIMAL(38, 2))
                        ELSE (so_far.lo + step.v)::DECIMAL(38, 2) END,
                    'hi': CASE step.k
                        WHEN 'total' THEN step.v
                        WHEN 'unstated' THEN greatest(step.v, (so_far.hi + step.v)::DECIMAL(38, 2))
                        ELSE (so_far.hi + step.v)::DECIMAL(38, 2) END,
                    'x': CASE step.k
                        WHEN 'indexation' THEN (so_far.x + step.v)::DECIMAL(38, 2)
                        WHEN 'total' THEN 0::DECIMAL(38, 2)
                        ELSE so_far.x END
                }
            )
        END AS worth
    FROM valued
    LEFT JOIN amendment_lists USING (year, body, item)
),

-- What a contract is, by its newest row.
described AS (
    SELECT
        year, period_start, period_end, today, body, item,
        last(coalesce(title, 'untitled') ORDER BY as_at, version, source_row) AS title,
        last(supplier ORDER BY as_at, version, source_row) FILTER (supplier IS NOT NULL) AS supplier,
        last(supplier_words ORDER BY as_at, version, source_row) AS supplier_words,
        count(DISTINCT supplier_words) AS suppliers,
        last(capability ORDER BY as_at, version, source_row) AS capability,
        last(process ORDER BY as_at, version, source_row) AS process,
        min(start_date) AS start_date,
        first(first_end ORDER BY as_at, version, source_row) FILTER (first_end IS NOT NULL) AS first_end,
        last(last_end ORDER BY as_at, version, source_row) FILTER (last_end IS NOT NULL) AS last_end,
        last(max_end_date ORDER BY as_at, version, source_row) FILTER (max_end_date IS NOT NULL) AS max_end,
        last(end_date_actual ORDER BY as_at, version, source_row) FILTER (end_date_actual IS NOT NULL) AS ended,
        last(can_be_longer ORDER BY as_at, version, source_row) AS can_be_longer,
        bool_or(value_given) AS value_given,
        last(CASE
            WHEN parent IS NOT NULL OR regexp_matches(process, 'call[ -]?off|further competition') THEN 'call-off'
            WHEN regexp_matches(kind_words, 'dynamic (purchasing|market)|\bdps\b') THEN 'dps'
            WHEN regexp_matches(kind_words, 'framework')
                AND NOT regexp_matches(kind_words, 'call[ -]?off|further competition|mini[ -]competition|(under|via|through|from) .*framework')
                THEN 'framework'
            ELSE 'contract'
        END ORDER BY as_at, version, source_row) AS kind,
        last(regexp_matches(status, 'cancel|unsuccess|withdrawn|terminat') ORDER BY as_at, version, source_row)
            AS is_off
    FROM known
    GROUP BY ALL
),

contracts_known AS (
    SELECT
        described.*, amended.original, amended.final, amended.amendments,
        worth.v AS latest, worth.lo AS latest_lo, worth.hi AS latest_hi, worth.x AS indexation,
        (amended.has_both OR amended.amendments > 0) AND amended.original IS NOT NULL AND worth.v IS NOT NULL AS has_both,
        coalesce(ended, last_end) AS ends,
        greatest(coalesce(max_end, last_end), last_end) AS end_max,
        title || coalesce(', ' || supplier, '')
            || CASE WHEN suppliers > 1 THEN ' and others' ELSE '' END
            || coalesce(', ends ' || strftime(coalesce(ended, last_end), '%-d %B %Y'), ', end not stated') AS label
    FROM described
    LEFT JOIN amended USING (year, body, item)
    WHERE NOT is_off
),

-- Only contracts and call-offs are money; the values of frameworks and dynamic purchasing systems are ceilings.
money AS (
    SELECT * FROM contracts_known WHERE kind IN ('contract', 'call-off')
),

-- A value is spread evenly over its days; the parts of a contract add up to it, to the penny.
spread AS (
    SELECT
        *,
        round(latest::DOUBLE * (least(year_last, ends) - start_date + 1) / (ends - start_date + 1), 2)::DECIMAL(38, 2)
        - round(latest::DOUBLE * greatest(year_first - start_date, 0) / (ends - start_date + 1), 2)::DECIMAL(38, 2)
            AS part
    FROM (
        SELECT
            money.*,
            make_date(y, 4, 1) AS year_first, make_date(y + 1, 3, 31) AS year_last,
            y || '-' || lpad(((y + 1) % 100)::VARCHAR, 2, '0') AS in_year
        FROM money,
            unnest(range(
                year(start_date) - (month(start_date) < 4)::INT, year(ends) - (month(ends) < 4)::INT + 1
            )) AS years_of(y)
        WHERE latest IS NOT NULL AND ends >= start_date AND ends - start_date < 36525
    )
),

-- Runs of contracts with one supplier for one capability, each from the last one that was competed for.
competed AS (
    SELECT
        *,
        regexp_matches(process, 'direct|without|single|waiver|exempt|extension|negotiated|limited') AS not_competed,
        regexp_matches(process, 'open|restrict|compet|tender|quot|itt|rfq|call')
            AND NOT regexp_matches(process, 'direct|without|single|waiver|exempt|negotiated') AS was_competed
    FROM contracts_known
    WHERE capability <> '' AND supplier_words <> '' AND start_date IS NOT NULL
),

runs AS (
    SELECT
        *,
        count(*) FILTER (was_competed) OVER earlier AS run_hi,
        count(*) FILTER (NOT not_competed) OVER earlier AS run_lo
    FROM competed
    WINDOW earlier AS (PARTITION BY year, body, supplier_words, capability ORDER BY start_date, item)
),

incumbency AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY year, body, supplier_words, capability, run_hi ORDER BY start_date, item) AS hi,
        row_number() OVER (PARTITION BY year, body, supplier_words, capability, run_lo ORDER BY start_date, item) AS lo
    FROM runs
),

live AS (
    SELECT *, latest / nullif(sum(latest) OVER (PARTITION BY year, body, capability), 0) AS share_of_capability
    FROM money
    WHERE ends >= today AND (start_date IS NULL OR start_date <= today)
),

-- Payments that name the contract, and payments to its supplier that name none: they may be for it too.
paid AS (
    SELECT
        money.year, money.body, money.item, sum(spend.net_amount) AS paid, count(*) AS payments,
        any_value(spend.supplier_key) AS supplier_key
    FROM money
    INNER JOIN spend ON spend.body = money.body AND trim(spend.contract_ref) = money.item
        AND spend.line_date <= money.period_end
    GROUP BY ALL
),

paid_unnamed AS (
    SELECT paid.year, paid.body, paid.item, sum(greatest(spend.net_amount, 0)) AS unnamed
    FROM paid
    INNER JOIN money USING (year, body, item)
    INNER JOIN spend ON spend.body = paid.body AND spend.supplier_key = paid.supplier_key
        AND nullif(trim(spend.contract_ref), '') IS NULL
        AND spend.line_date BETWEEN coalesce(money.start_date, DATE '1900-01-01') AND money.period_end
    GROUP BY ALL
),

drift AS (
    SELECT
        year, period_start, period_end, body,
        count(*) AS contracts, count(*) FILTER (has_both) AS comparable,
        sum(original) FILTER (has_both) AS original, sum(latest - indexation) FILTER (has_both) AS latest,
        sum(latest_lo - indexation) FILTER (has_both) AS lo, sum(latest_hi - indexation) FILTER (has_both) AS hi
    FROM money
    GROUP BY ALL
),

figures AS (
    SELECT body, period_start, period_end, 'contracts' AS figure, '' AS item, '' AS item_label,
        count(*)::DOUBLE AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, count(*) AS n,
        NULL::DOUBLE AS coverage, NULL::DECIMAL(38, 2) AS part_sum, NULL::DECIMAL(38, 2) AS total,
        NULL::VARCHAR AS status, NULL::VARCHAR AS reason
    FROM contracts_known GROUP BY body, period_start, period_end

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'value-unknown' AS figure, '' AS item,
        count(*) FILTER (latest IS NULL)::DOUBLE AS value, count(*) AS n,
        CASE WHEN count(*) FILTER (latest IS NULL AND value_given) > 0 THEN
            count(*) FILTER (latest IS NULL AND value_given)
            || ' with 0, £1 or £999,999,999, which stand for a value that is not known' END AS reason
    FROM contracts_known GROUP BY body, period_start, period_end

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'original' AS figure, '' AS item,
        sum(original)::DOUBLE AS value, count(original) AS n
    FROM money GROUP BY body, period_start, period_end HAVING count(original) > 0

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'current' AS figure, '' AS item,
        sum(latest)::DOUBLE AS value, sum(latest_lo)::DOUBLE AS lo, sum(latest_hi)::DOUBLE AS hi, count(latest) AS n
    FROM money GROUP BY body, period_start, period_end HAVING count(latest) > 0

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'end' AS figure, '' AS item,
        sum(final)::DOUBLE AS value, count(final) AS n
    FROM money GROUP BY body, period_start, period_end HAVING count(final) > 0

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'ceilings' AS figure, '' AS item,
        sum(latest)::DOUBLE AS value, count(latest) AS n,
        'frameworks and dynamic purchasing systems: the most that may be bought, not what is spent' AS reason
    FROM contracts_known WHERE kind IN ('framework', 'dps')
    GROUP BY body, period_start, period_end HAVING count(latest) > 0

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'drift' AS figure, '' AS item,
        CASE WHEN comparable >= 0.6 * contracts THEN (latest / original - 1)::DOUBLE END AS value,
        CASE WHEN comparable >= 0.6 * contracts THEN (lo / original - 1)::DOUBLE END AS lo,
        CASE WHEN comparable >= 0.6 * contracts THEN (hi / original - 1)::DOUBLE END AS hi,
        comparable AS n, comparable / contracts AS coverage,
        CASE
            WHEN comparable < 0.6 * contracts THEN 'withheld'
            WHEN lo <> hi THEN 'indicative'
        END AS status,
        CASE
            WHEN comparable = 0 THEN 'none of ' || contracts || ' contracts has an original and a current value'
            WHEN comparable < 0.6 * contracts THEN
                comparable || ' of ' || contracts || ' contracts have an original and a current value, fewer than 60%: '
                || 'together £' || format('{:,.2f}', original::DOUBLE) || ' at first and £'
                || format('{:,.2f}', latest::DOUBLE) || ' now'
            WHEN lo <> hi THEN 'an amendment does not say whether its amount is the change or the new total'
        END AS reason
    FROM drift

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'value-by-year' AS figure, in_year AS item, in_year AS item_label,
        sum(part)::DOUBLE AS value, count(*) AS n
    FROM spread GROUP BY body, period_start, period_end, in_year

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'value-by-year' AS figure, '' AS item,
        sum(part)::DOUBLE AS value, count(*) FILTER (year_first <= start_date) AS n, sum(part) AS part_sum,
        sum(latest) FILTER (year_first <= start_date) AS total
    FROM spread GROUP BY body, period_start, period_end

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'ends-6' AS figure, '' AS item,
        count(*) FILTER (ends <= today + INTERVAL 6 MONTH)::DOUBLE AS value, count(*) AS n
    FROM live GROUP BY body, period_start, period_end

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'ends-12' AS figure, '' AS item,
        count(*) FILTER (ends <= today + INTERVAL 12 MONTH)::DOUBLE AS value, count(*) AS n
    FROM live GROUP BY body, period_start, period_end

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'ends-6-value' AS figure, '' AS item,
        sum(latest)::DOUBLE AS value, count(*) AS n
    FROM live WHERE ends <= today + INTERVAL 6 MONTH
    GROUP BY body, period_start, period_end HAVING count(latest) > 0

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'ends-12-value' AS figure, '' AS item,
        sum(latest)::DOUBLE AS value, count(*) AS n
    FROM live WHERE ends <= today + INTERVAL 12 MONTH
    GROUP BY body, period_start, period_end HAVING count(latest) > 0

    -- One row for each contract of the list "ends within 12 months": the days left.
    UNION ALL BY NAME
    SELECT body, period_start, period_end,
        CASE WHEN ends <= today + INTERVAL 6 MONTH THEN 'ends-6-list' ELSE 'ends-12-list' END AS figure,
        item, label || coalesce(', £' || format('{:,.2f}', latest::DOUBLE), '') AS item_label,
        (ends - today)::DOUBLE AS value, (ends - today)::DOUBLE AS lo,
        greatest(end_max - today, ends - today)::DOUBLE AS hi, 1 AS n,
        CASE WHEN can_be_longer AND (max_end IS NULL OR max_end <= ends) THEN
            'can be extended, and the last possible end is not stated' END AS reason
    FROM live WHERE ends <= today + INTERVAL 12 MONTH

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'contract-original' AS figure, item, label AS item_label,
        original::DOUBLE AS value, 1 AS n,
        CASE WHEN kind IN ('framework', 'dps') THEN 'a ceiling, not spending' END AS reason
    FROM contracts_known WHERE original IS NOT NULL

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'contract-current' AS figure, item, label AS item_label,
        latest::DOUBLE AS value, latest_lo::DOUBLE AS lo, latest_hi::DOUBLE AS hi, 1 + amendments AS n,
        CASE WHEN latest_lo <> latest_hi THEN 'indicative' END AS status,
        CASE
            WHEN latest_lo <> latest_hi
                THEN 'an amendment does not say whether its amount is the change or the new total'
            WHEN kind IN ('framework', 'dps') THEN 'a ceiling, not spending'
        END AS reason
    FROM contracts_known WHERE latest IS NOT NULL

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'contract-end' AS figure, item, label AS item_label,
        final::DOUBLE AS value, 1 AS n
    FROM contracts_known WHERE final IS NOT NULL

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'contract-drift' AS figure, item, label AS item_label,
        ((latest - indexation) / original - 1)::DOUBLE AS value,
        ((latest_lo - indexation) / original - 1)::DOUBLE AS lo,
        ((latest_hi - indexation) / original - 1)::DOUBLE AS hi, 1 + amendments AS n,
        CASE WHEN latest_lo <> latest_hi THEN 'indicative' END AS status,
        CASE WHEN latest_lo <> latest_hi THEN
            'an amendment does not say whether its amount is the change or the new total' END AS reason
    FROM contracts_known WHERE has_both

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'lock-in-years' AS figure, item, label AS item_label,
        (end_max - today) / 365.25 AS value, (ends - today) / 365.25 AS lo, (end_max - today) / 365.25 AS hi, 1 AS n,
        CASE WHEN can_be_longer AND (max_end IS NULL OR max_end <= ends) THEN 'indicative' END AS status,
        CASE WHEN can_be_longer AND (max_end IS NULL OR max_end <= ends) THEN
            'can be extended, and the last possible end is not stated' END AS reason
    FROM live

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'lock-in-extension' AS figure, item, label AS item_label,
        (end_max - first_end) / (first_end - start_date) AS value, 1 AS n
    FROM contracts_known
    WHERE max_end IS NOT NULL AND first_end > start_date AND ends >= today

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'lock-in-incumbency' AS figure, item, label AS item_label,
        lo::DOUBLE AS value, lo::DOUBLE AS lo, hi::DOUBLE AS hi, hi AS n,
        CASE WHEN lo <> hi THEN 'indicative' END AS status,
        CASE WHEN lo <> hi THEN 'how some of the contracts were awarded is not stated' END AS reason
    FROM incumbency WHERE ends >= today

    UNION ALL BY NAME
    SELECT body, period_start, period_end, 'lock-in-share' AS figure, item, label AS item_label,
        share_of_capability::DOUBLE AS value, 1 AS n
    FROM live WHERE capability <> '' AND share_of_capability IS NOT NULL

    UNION ALL BY NAME
    SELECT money.body, money.period_start, money.period_end, 'paid' AS figure, money.item, label AS item_label,
        paid.paid::DOUBLE AS value, paid.paid::DOUBLE AS lo,
        (paid.paid + coalesce(unnamed, 0))::DOUBLE AS hi, payments AS n
    FROM paid
    INNER JOIN money USING (year, body, item)
    LEFT JOIN paid_unnamed USING (year, body, item)
)

SELECT * FROM figures
