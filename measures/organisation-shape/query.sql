WITH RECURSIVE posts AS (
    SELECT
        roles.body, years.year,
        nullif(trim(post_id), '') AS post_id, nullif(trim(reports_to), '') AS reports_to,
        lower(trim(grade)) AS grade,
        CAST(coalesce(fte, headcount, 1) AS DECIMAL(18, 4)) AS fte
    FROM roles
    INNER JOIN years ON years.year = roles.financial_year
    WHERE coalesce(part, '') <> 'salaries'
        AND coalesce(fte, headcount, 1) > 0
        AND NOT regexp_matches(
            lower(concat_ws('|', '', trim(vacancy), trim(holder_name), '')),
            '\|(y|yes|true|vacant|eliminated|abolished|not in post)\|'
        )
),

-- Every statement of posts at a grade: exact, rounded, or suppressed.
stated AS (
    SELECT posts.body, year, grade, sum(fte) AS n, sum(fte) AS lo, sum(fte) AS hi, count(*) AS lines
    FROM posts
    GROUP BY ALL

    UNION ALL
    SELECT
        body, year, lower(trim(coalesce(grade, ''))), CAST(posts AS DECIMAL(18, 4)),
        CASE
            WHEN posts IS NULL THEN 1
            ELSE greatest(CAST(posts AS DECIMAL(18, 4)) - coalesce(CAST(rounded_to AS DECIMAL(18, 4)), 0) / 2, 0)
        END,
        CASE
            WHEN posts IS NULL THEN 4
            ELSE CAST(posts AS DECIMAL(18, 4)) + coalesce(CAST(rounded_to AS DECIMAL(18, 4)), 0) / 2
        END,
        1
    FROM grade_counts
    WHERE (body, year) NOT IN (SELECT (body, year) FROM posts)
        AND body IN (SELECT body FROM bodies) AND year IN (SELECT year FROM years)
        AND coalesce(lower(trim(grade)), '') <> 'total'
),

totals_given AS (
    SELECT
        body, year, CAST(posts AS DOUBLE) AS stated_total,
        CAST(posts AS DOUBLE) - coalesce(CAST(rounded_to AS DOUBLE), 0) / 2 AS stated_lo,
        CAST(posts AS DOUBLE) + coalesce(CAST(rounded_to AS DOUBLE), 0) / 2 AS stated_hi
    FROM grade_counts
    WHERE lower(trim(grade)) = 'total'
        AND (body, year) NOT IN (SELECT (body, year) FROM posts)
),

-- The first pattern of the list that a grade matches. Grades of councils have the same names and mean other levels.
grade_levels AS (
    SELECT distinct_grades.grade, arg_min(CAST(level AS INTEGER), CAST(place AS INTEGER)) AS level
    FROM (SELECT DISTINCT grade FROM stated WHERE grade IS NOT NULL) AS distinct_grades
    INNER JOIN grades ON regexp_matches(distinct_grades.grade, grades.pattern)
    GROUP BY ALL
),

placed AS (
    SELECT
        stated.body, year, CASE WHEN bodies.kind IN ('department', 'agency') THEN level END AS level,
        n, lo, hi, lines
    FROM stated
    INNER JOIN bodies USING (body)
    LEFT JOIN grade_levels USING (grade)
),

cells AS (
    SELECT
        body, year, level, CAST(coalesce(sum(n), 0) AS DOUBLE) AS n, CAST(sum(lo) AS DOUBLE) AS lo,
        CAST(sum(hi) AS DOUBLE) AS hi, sum(lines) AS lines
    FROM placed
    WHERE level IS NOT NULL
    GROUP BY ALL
    HAVING sum(hi) > 0
),

unreported AS (
    SELECT
        body, year, CAST(coalesce(sum(n) FILTER (level IS NULL), 0) AS DOUBLE) AS n,
        CAST(coalesce(sum(hi) FILTER (level IS NULL), 0) AS DOUBLE) AS hi,
        CAST(coalesce(sum(n), 0) AS DOUBLE) AS total,
        CAST(sum(lo) AS DOUBLE) AS total_lo, CAST(sum(hi) AS DOUBLE) AS total_hi, sum(lines) AS lines
    FROM placed
    GROUP BY ALL
),

verdicts AS (
    SELECT
        unreported.*,
        (total - n) / nullif(total, 0) AS coverage,
        CASE
            WHEN total < 30 THEN format('there are {:.0f} posts: fewer than 30 have no shape', total)
            WHEN total_hi < stated_lo OR total_lo > stated_hi
                THEN format(
                    'the grades add up to between {:.0f} and {:.0f}, and the published total is {:.0f}',
                    total_lo, total_hi, stated_total
                )
            WHEN n > 0.1 * total
                THEN format('the level of the grade is not known for {:.1f}% of posts: at most 10% may be', 100 * n / total)
        END AS withheld_because
    FROM unreported
    LEFT JOIN totals_given USING (body, year)
),

-- Bounds of shares before small levels are brought together: they decide the word.
bounds AS (
    SELECT
        cells.*,
        cells.lo / nullif(cells.lo + sum(cells.hi) OVER own - cells.hi + verdicts.hi, 0) AS share_lo,
        (cells.hi + verdicts.hi) / nullif(cells.hi + verdicts.hi + sum(cells.lo) OVER own - cells.lo, 0) AS share_hi
    FROM cells
    INNER JOIN verdicts USING (body, year)
    WINDOW own AS (PARTITION BY cells.body, cells.year)
),

neighbours AS (
    SELECT
        *,
        lag(share_lo) OVER own AS lower_lo, lag(share_hi) OVER own AS lower_hi,
        row_number() OVER own AS place, count(*) OVER (PARTITION BY body, year) AS levels,
        max(share_lo) OVER (PARTITION BY body, year) AS largest_lo
    FROM bounds
    WINDOW own AS (PARTITION BY body, year ORDER BY level)
),

words AS (
    SELECT
        body, year, count(*) AS levels,
        CASE
            WHEN count(*) < 2 THEN 'no clear shape'
            WHEN bool_and(lower_lo > share_hi) FILTER (place > 1) THEN 'pyramid'
            WHEN bool_and(lower_hi < share_lo) FILTER (place > 1) THEN 'inverted'
            WHEN count(*) FILTER (share_hi >= largest_lo) = 1
                AND bool_or(share_lo = largest_lo AND place > 1 AND place < levels) THEN 'diamond'
            ELSE 'no clear shape'
        END AS word
    FROM neighbours
    GROUP BY ALL
),

-- A level with fewer than 5 posts goes to the next level down that has 5; the lowest go up.
large AS (SELECT body, year, level FROM cells WHERE n >= 5),

merged AS (
    SELECT
        cells.body, cells.year,
        coalesce(
            max(large.level) FILTER (large.level <= cells.level), min(large.level), cells.level
        ) AS level,
        cells.level AS own_level, cells.n, cells.lo, cells.hi, cells.lines
    FROM cells
    LEFT JOIN large ON large.body = cells.body AND large.year = cells.year
    GROUP BY cells.body, cells.year, cells.level, cells.n, cells.lo, cells.hi, cells.lines
),

shown AS (
    SELECT body, year, level, sum(n) AS n, sum(lo) AS lo, sum(hi) AS hi, sum(lines) AS lines
    FROM merged
    GROUP BY ALL
),

shares AS (
    SELECT
        shown.body, shown.year, shown.level, shown.lines,
        shown.n / nullif(sum(shown.n) OVER own, 0) AS value,
        shown.lo / nullif(shown.lo + sum(shown.hi) OVER own - shown.hi + verdicts.hi, 0) AS lo,
        (shown.hi + verdicts.hi) / nullif(shown.hi + verdicts.hi + sum(shown.lo) OVER own - shown.lo, 0) AS hi,
        withheld_because, coverage
    FROM shown
    INNER JOIN verdicts USING (body, year)
    WINDOW own AS (PARTITION BY shown.body, shown.year)
),

-- Who reports to whom. A post that names itself, or no post of the list, has no known manager.
managed AS (
    SELECT
        posts.*,
        reports_to IS NOT NULL AND reports_to <> coalesce(post_id, '')
            AND (body, year, reports_to) IN (SELECT (body, year, post_id) FROM posts WHERE post_id IS NOT NULL)
            AS has_manager,
        coalesce(lower(reports_to), '') IN ('xx', '') AND post_id IS NOT NULL AND post_id <> '0' AS is_top
    FROM posts
),

reports AS (
    SELECT body, year, reports_to, sum(fte) AS fte FROM managed WHERE has_manager GROUP BY ALL
),

-- UNION drops what was seen: a loop ends, and a line of more than 30 posts is one.
paths AS (
    SELECT DISTINCT body, year, post_id, 1 AS depth FROM managed WHERE is_top
    UNION
    SELECT managed.body, managed.year, managed.post_id, paths.depth + 1
    FROM managed
    INNER JOIN paths
        ON paths.body = managed.body AND paths.year = managed.year AND paths.post_id = managed.reports_to
    WHERE managed.has_manager AND paths.depth < 30
),

depths AS (SELECT body, year, max(depth) AS depth FROM paths GROUP BY ALL),

spans AS (
    SELECT body, year, count(*) AS managers, median(CAST(fte AS DOUBLE)) AS span FROM reports GROUP BY ALL
),

lines_of_report AS (
    SELECT
        managed.body, managed.year, count(*) AS lines, CAST(sum(fte) AS DOUBLE) AS fte,
        coalesce(CAST(sum(fte) FILTER (has_manager OR is_top) AS DOUBLE), 0) / CAST(sum(fte) AS DOUBLE) AS coverage,
        any_value(managers) AS managers, any_value(span) AS span, any_value(depth) AS depth
    FROM managed
    LEFT JOIN spans USING (body, year)
    LEFT JOIN depths USING (body, year)
    GROUP BY ALL
),

made AS (
    SELECT
        shares.body, shares.year, 'share' AS figure, levels.item, levels.label AS item_label, value, lo, hi,
        lines AS n, coverage,
        CASE WHEN withheld_because IS NOT NULL THEN 'withheld' ELSE '' END AS status, withheld_because AS reason
    FROM shares
    INNER JOIN levels ON CAST(levels.level AS INTEGER) = shares.level

    UNION ALL BY NAME
    SELECT
        merged.body, merged.year, 'share' AS figure, levels.item, levels.label AS item_label, NULL AS value,
        merged.lines AS n, coverage, 'withheld' AS status,
        coalesce(
            withheld_because,
            'fewer than 5 posts: they are counted with the next level ' || if(merged.level < own_level, 'down', 'up')
        ) AS reason
    FROM merged
    INNER JOIN verdicts USING (body, year)
    INNER JOIN levels ON CAST(levels.level AS INTEGER) = own_level
    WHERE merged.level <> own_level

    UNION ALL BY NAME
    SELECT
        body, year, 'not-reported' AS figure, '' AS item, '' AS item_label, n / nullif(total, 0) AS value, lines AS n
    FROM verdicts

    UNION ALL BY NAME
    SELECT body, year, 'posts' AS figure, '' AS item, '' AS item_label, total AS value, total_lo AS lo, total_hi AS hi,
        lines AS n
    FROM verdicts

    UNION ALL BY NAME
    SELECT
        body, year, 'shape' AS figure, '' AS item,
        CASE WHEN withheld_because IS NULL THEN word ELSE '' END AS item_label,
        words.levels AS value, lines AS n, coverage,
        CASE WHEN withheld_because IS NOT NULL THEN 'withheld' ELSE '' END AS status, withheld_because AS reason
    FROM verdicts
    LEFT JOIN words USING (body, year)

    UNION ALL BY NAME
    SELECT
        body, year, 'mean-level' AS figure, '' AS item, '' AS item_label,
        sum(level * cells.n) / nullif(sum(cells.n), 0) AS value,
        (sum(level * cells.n) + any_value(verdicts.n)) / nullif(any_value(verdicts.total), 0) AS lo,
        (sum(level * cells.n) + 5 * any_value(verdicts.n)) / nullif(any_value(verdicts.total), 0) AS hi,
        sum(cells.lines) AS n, any_value(coverage) AS coverage,
        CASE WHEN any_value(withheld_because) IS NOT NULL THEN 'withheld' ELSE '' END AS status,
        any_value(withheld_because) AS reason
    FROM cells
    INNER JOIN verdicts USING (body, year)
    GROUP BY body, year

    UNION ALL BY NAME
    SELECT
        body, year, figure, '' AS item, '' AS item_label,
        CASE figure
            WHEN 'posts-per-manager' THEN fte / nullif(managers, 0)
            WHEN 'span' THEN span
            ELSE depth
        END AS value,
        lines AS n, coverage,
        CASE WHEN managers IS NULL THEN 'withheld' ELSE '' END AS status,
        CASE WHEN managers IS NULL THEN 'no post says to which other post it reports' END AS reason
    FROM lines_of_report
    CROSS JOIN (VALUES ('posts-per-manager'), ('span'), ('depth')) AS wanted (figure)
)

SELECT made.body, period_start, period_end, figure, item, item_label, value, lo, hi, n, coverage, status, reason
FROM made
INNER JOIN years USING (year)
