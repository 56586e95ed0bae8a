-- One unit cost of one body and period: its lines, added up before they are divided.
WITH every AS (
    SELECT
        body, measure, period,
        any_value(title ORDER BY line) AS title, any_value(bundle ORDER BY line) AS bundle,
        string_agg(line, ' + ' ORDER BY line) AS lines,
        list_sort(list(DISTINCT line)) AS line_list,
        count(*) AS n, count(gross) AS stated,
        sum(gross) AS gross, sum(coalesce(income, 0)) AS income, count(income) AS incomes,
        sum(coalesce(support, 0)) AS support,
        max(denominator) AS denominator,
        max(coalesce(denominator_lo, denominator)) AS denominator_lo,
        max(coalesce(denominator_hi, denominator)) AS denominator_hi,
        any_value(denominator_label ORDER BY line) AS denominator_label,
        bool_or(coalesce(counts_people, FALSE)) AS counts_people,
        any_value(published ORDER BY line) AS published,
        any_value(lower(published_basis) ORDER BY line) AS published_basis,
        max(coalesce(deflator, 1)) AS deflator
    FROM unit_cost_lines
    GROUP BY ALL
),

valued AS (
    SELECT
        every.*, bodies.kind,
        gross::DOUBLE / nullif(denominator, 0)::DOUBLE AS gross_cost,
        (gross - income)::DOUBLE / nullif(denominator, 0)::DOUBLE AS net_cost
    FROM every INNER JOIN bodies USING (body)
),

-- Lines that bodies book together are a bundle. A body that books 0 on one of them, where more than half of its peers
-- book there, has it in another line of the bundle.
booked AS (
    SELECT bundle, line, period, kind,
        count(DISTINCT body) FILTER (gross <> 0) AS booking, count(DISTINCT body) AS of_bodies
    FROM unit_cost_lines INNER JOIN bodies USING (body)
    WHERE bundle IS NOT NULL AND gross IS NOT NULL
    GROUP BY ALL
),

zeros AS (
    SELECT DISTINCT unit_cost_lines.body, unit_cost_lines.bundle, unit_cost_lines.period, unit_cost_lines.line,
        booking, of_bodies
    FROM unit_cost_lines
    INNER JOIN bodies USING (body)
    INNER JOIN booked ON booked.bundle = unit_cost_lines.bundle AND booked.line = unit_cost_lines.line
        AND booked.period = unit_cost_lines.period AND booked.kind = bodies.kind
    WHERE gross = 0 AND booking > 0.5 * of_bodies
),

bundles AS (
    SELECT bundle, period, count(DISTINCT line) AS lines FROM unit_cost_lines WHERE bundle IS NOT NULL GROUP BY ALL
),

bundled AS (
    SELECT
        valued.body, valued.measure, valued.period, string_agg(DISTINCT zeros.line, ' and ') AS zero_lines,
        max(booking) AS booking, max(of_bodies) AS of_bodies
    FROM valued
    INNER JOIN zeros USING (body, bundle, period)
    INNER JOIN bundles USING (bundle, period)
    WHERE len(valued.line_list) < bundles.lines
    GROUP BY ALL
),

-- Bounds: without support lines to with their share, over the revisions of the denominator.
bounded AS (
    SELECT
        valued.*, zero_lines, booking, of_bodies,
        gross::DOUBLE / denominator_hi::DOUBLE AS gross_lo,
        (gross + support)::DOUBLE / denominator_lo::DOUBLE AS gross_hi,
        (gross - income)::DOUBLE / denominator_hi::DOUBLE AS net_lo,
        (gross - income + support)::DOUBLE / denominator_lo::DOUBLE AS net_hi,
        CASE WHEN published_basis = 'net' THEN net_cost ELSE gross_cost END AS recomputed
    FROM valued
    LEFT JOIN bundled USING (body, measure, period)
    WHERE denominator > 0
),

-- The place of a body is not certain if its own cost moves from year to year: its own range over three years, in the
-- pounds of the latest, is the interval of the figure in real terms.
ranged AS (
    SELECT
        *, gross_cost * deflator::DOUBLE AS real_cost,
        min(gross_cost * deflator::DOUBLE) OVER three AS real_lo,
        max(gross_cost * deflator::DOUBLE) OVER three AS real_hi,
        count(*) OVER three AS years_known,
        median(gross_cost) OVER (PARTITION BY measure, period, kind) AS middle,
        count(*) OVER (PARTITION BY measure, period, kind) AS peers
    FROM bounded
    WINDOW three AS (
        PARTITION BY body, measure ORDER BY period[:4]::INT RANGE BETWEEN 2 PRECEDING AND CURRENT ROW
    )
),

spread AS (
    SELECT
        *, median(abs(gross_cost - middle)) OVER (PARTITION BY measure, period, kind) AS deviation,
        quantile_cont(gross_cost, 0.25) OVER (PARTITION BY measure, period, kind) AS q1,
        quantile_cont(gross_cost, 0.75) OVER (PARTITION BY measure, period, kind) AS q3
    FROM ranged
),

judged AS (
    SELECT
        *, coalesce(title, measure) || ' (' || lines || ' / ' || coalesce(denominator_label, 'unit') || ')' AS label,
        CASE
            WHEN denominator < CASE WHEN counts_people THEN 5 ELSE 100 END THEN
                'it is divided by ' || format('{:,.0f}', denominator::DOUBLE) || ': at least '
                || CASE WHEN counts_people THEN '5' ELSE '100' END || ' are needed'
            WHEN zero_lines IS NOT NULL THEN
                'bundled elsewhere: nothing is booked to ' || zero_lines || ', where ' || booking || ' of ' || of_bodies
                || ' bodies of the kind book'
            WHEN stated < 0.8 * n THEN stated || ' of ' || n || ' lines have an amount: at least 80% are needed'
            WHEN published IS NOT NULL AND abs(published::DOUBLE - recomputed) > 0.005 * abs(recomputed) THEN
                'published as £' || format('{:,.2f}', published::DOUBLE) || ', but its own numbers give £'
                || format('{:,.2f}', recomputed) || CASE WHEN recomputed <> 0 THEN ': '
                    || format('{:.1f}', 100 * abs(published::DOUBLE / recomputed - 1)) || '% apart' ELSE '' END
        END AS withheld,
        CASE
            WHEN peers < 8 THEN NULL
            WHEN deviation > 0 AND abs(gross_cost - middle) > 3.5 * 1.4826 * deviation
                OR deviation = 0 AND q3 > q1
                    AND (gross_cost < q1 - 1.5 * (q3 - q1) OR gross_cost > q3 + 1.5 * (q3 - q1))
                THEN 'check this unit: far from the median of ' || peers || ' bodies, £' || format('{:,.2f}', middle)
            WHEN deviation = 0 AND q3 = q1 THEN 'most of ' || peers || ' bodies have the same value'
        END AS note
    FROM spread
)

SELECT body, period_start, period_end, 'gross' AS figure, measure AS item, label AS item_label,
    CASE WHEN withheld IS NULL THEN gross_cost END AS value,
    CASE WHEN withheld IS NULL THEN gross_lo END AS lo, CASE WHEN withheld IS NULL THEN gross_hi END AS hi,
    n, stated / n AS coverage, CASE WHEN withheld IS NOT NULL THEN 'withheld' END AS status,
    coalesce(withheld, note) AS reason
FROM judged INNER JOIN years ON years.year = judged.period

UNION ALL BY NAME
SELECT body, period_start, period_end, 'net' AS figure, measure AS item, label AS item_label,
    CASE WHEN withheld IS NULL AND incomes > 0 THEN net_cost END AS value,
    CASE WHEN withheld IS NULL AND incomes > 0 THEN net_lo END AS lo,
    CASE WHEN withheld IS NULL AND incomes > 0 THEN net_hi END AS hi,
    n, stated / n AS coverage, CASE WHEN withheld IS NOT NULL OR incomes = 0 THEN 'withheld' END AS status,
    coalesce(withheld, CASE WHEN incomes = 0 THEN 'no income is stated' END) AS reason
FROM judged INNER JOIN years ON years.year = judged.period

UNION ALL BY NAME
SELECT body, period_start, period_end, 'gross-real' AS figure, measure AS item,
    label || CASE years_known WHEN 1 THEN ', one year' ELSE ', range of ' || years_known || ' years' END AS item_label,
    CASE WHEN withheld IS NULL THEN real_cost END AS value,
    CASE WHEN withheld IS NULL THEN real_lo END AS lo, CASE WHEN withheld IS NULL THEN real_hi END AS hi,
    n, stated / n AS coverage, CASE WHEN withheld IS NOT NULL THEN 'withheld' END AS status,
    withheld AS reason
FROM judged INNER JOIN years ON years.year = judged.period
