-- What each supplier of a body was paid in the year for each function, with who it is. People have no key.
WITH lines AS (
    SELECT
        years.period_start, years.period_end, spend.body, spend.supplier_key, assigned_function,
        CASE WHEN spend.supplier_key IS NULL THEN spend.payee_class END AS unnamed_class, net_amount
    FROM spend
    INNER JOIN years ON years.year = spend.financial_year
    WHERE net_amount IS NOT NULL
),

paid AS (
    SELECT period_start, period_end, body, supplier_key, greatest(sum(net_amount), 0) AS pounds
    FROM lines
    WHERE coalesce(unnamed_class, '') <> 'person-or-redacted'
    GROUP BY ALL
),

known AS (
    SELECT
        paid.*, names, coalesce(status, 'unmatched') AS status,
        CASE WHEN status IN ('fact', 'candidate') THEN org_id END AS company
    FROM paid
    LEFT JOIN supplier_identities USING (body, supplier_key)
    WHERE coalesce(status, 'unmatched') <> 'no-company-expected'
),

-- Pounds of each company and body; `inferred` are those matched by a name that is not proved to be right.
companies AS (
    SELECT
        body, period_start, period_end, company, min(split_part(names, '; ', 1)) AS name,
        sum(pounds) AS pounds, coalesce(sum(pounds) FILTER (status = 'candidate'), 0) AS inferred
    FROM known WHERE company IS NOT NULL AND pounds > 0 GROUP BY ALL
),

payers AS (
    SELECT company, count(*) AS bodies, sum(pounds) AS all_pounds FROM companies GROUP BY company
),

totals AS (
    SELECT
        body, period_start, period_end, sum(pounds) AS in_scope, count(*) AS suppliers,
        coalesce(sum(pounds) FILTER (company IS NOT NULL), 0) AS matched,
        coalesce(sum(pounds) FILTER (company IS NULL), 0) AS unmatched,
        count(*) FILTER (company IS NULL AND supplier_key IS NOT NULL AND pounds > 0) AS unmatched_suppliers,
        coalesce(sum(pounds) FILTER (company IS NOT NULL), 0)::DOUBLE / nullif(sum(pounds), 0)::DOUBLE AS coverage
    FROM known GROUP BY ALL
),

shared AS (
    SELECT companies.*, bodies, all_pounds
    FROM companies INNER JOIN payers USING (company)
    WHERE bodies > 1
),

shared_totals AS (
    SELECT
        totals.*, count(company) AS companies, coalesce(sum(shared.pounds), 0) AS shared_pounds,
        coalesce(sum(inferred), 0) AS inferred_pounds
    FROM totals LEFT JOIN shared USING (body, period_start, period_end)
    GROUP BY ALL
),

largest AS (
    SELECT shared.*, coverage, inferred::DOUBLE / nullif(shared.pounds, 0)::DOUBLE AS inferred_share
    FROM shared INNER JOIN totals USING (body)
    QUALIFY row_number() OVER (PARTITION BY body ORDER BY shared.pounds DESC, company) <= 50
),

-- Bodies that pay a supplier without a number whose name is alike: they may pay the company too.
spellings AS (
    SELECT DISTINCT company, supplier_key FROM known
    WHERE company IN (SELECT company FROM largest) AND supplier_key IS NOT NULL
),

unnumbered AS (
    SELECT DISTINCT body, supplier_key FROM known
    WHERE company IS NULL AND supplier_key IS NOT NULL AND pounds > 0
),

maybe AS (
    SELECT spellings.company, count(DISTINCT unnumbered.body) AS bodies
    FROM spellings
    INNER JOIN unnumbered
        ON left(unnumbered.supplier_key, 3) = left(spellings.supplier_key, 3)
        AND levenshtein(unnumbered.supplier_key, spellings.supplier_key)
        <= 0.1 * greatest(length(unnumbered.supplier_key), length(spellings.supplier_key))
    ANTI JOIN companies ON companies.company = spellings.company AND companies.body = unnumbered.body
    GROUP BY spellings.company
),

-- Groups: a company that the table of groups does not name is its own group.
groups_given AS (SELECT count(*) > 0 AS given FROM company_groups),

grouped AS (
    SELECT
        companies.body,
        coalesce(company_groups.group_number, companies.company) AS group_id, sum(companies.pounds) AS pounds
    FROM companies
    LEFT JOIN company_groups ON 'GB-COH-' || company_groups.company_number = companies.company
    GROUP BY ALL
),

group_totals AS (
    SELECT body, sum(pounds) AS pounds
    FROM grouped
    WHERE group_id IN (SELECT group_id FROM grouped GROUP BY group_id HAVING count(*) > 1)
    GROUP BY body
),

-- Pounds of each company by function, for concentration; '' is all functions together. Without a number, a name is one.
by_function AS (
    SELECT
        body, assigned_function AS item, coalesce(status, 'unmatched') IN ('fact', 'candidate') AS is_matched,
        CASE WHEN status IN ('fact', 'candidate') THEN org_id ELSE supplier_key END AS company,
        greatest(sum(net_amount), 0)::DOUBLE AS pounds
    FROM lines
    LEFT JOIN supplier_identities USING (body, supplier_key)
    WHERE
        coalesce(unnamed_class, '') <> 'person-or-redacted'
        AND coalesce(status, 'unmatched') <> 'no-company-expected'
        AND coalesce(assigned_function, 'u-unknown') <> 'u-unknown'
    GROUP BY ALL
    UNION ALL
    SELECT body, '', company IS NOT NULL, coalesce(company, supplier_key), sum(pounds)::DOUBLE FROM known GROUP BY ALL
),

concentrations AS (
    SELECT
        body, item, count(*) FILTER (is_matched) AS n, sum(pounds) AS pounds,
        coalesce(sum(pounds) FILTER (is_matched), 0) AS matched,
        coalesce(max(pounds) FILTER (is_matched), 0) AS largest,
        coalesce(sum(pounds * pounds) FILTER (is_matched), 0) AS squares,
        coalesce(sum(pounds * pounds) FILTER (NOT is_matched AND company IS NOT NULL), 0) AS unmatched_squares
    FROM by_function GROUP BY ALL
    HAVING sum(pounds) > 0
),

-- Names: the same name is not the same company for certain.
names AS (
    SELECT supplier_key FROM paid
    WHERE supplier_key IS NOT NULL AND pounds > 0
    GROUP BY supplier_key HAVING count(DISTINCT body) > 2
),

same_names AS (
    SELECT known.*, count(*) OVER (PARTITION BY known.supplier_key) AS bodies
    FROM known INNER JOIN names USING (supplier_key)
    WHERE pounds > 0
)

SELECT
    body, period_start, period_end, 'shared-share' AS figure, '' AS item, '' AS item_label,
    shared_pounds::DOUBLE / nullif(in_scope, 0)::DOUBLE AS value,
    shared_pounds::DOUBLE / nullif(in_scope, 0)::DOUBLE AS lo,
    (shared_pounds + unmatched)::DOUBLE / nullif(in_scope, 0)::DOUBLE AS hi,
    suppliers AS n, coverage, inferred_pounds::DOUBLE / nullif(shared_pounds, 0)::DOUBLE AS inferred_share
FROM shared_totals

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'shared-companies' AS figure, '' AS item, '' AS item_label,
    companies AS value, companies AS lo, companies + unmatched_suppliers AS hi, suppliers AS n, coverage,
    inferred_pounds::DOUBLE / nullif(shared_pounds, 0)::DOUBLE AS inferred_share
FROM shared_totals

UNION ALL BY NAME
SELECT
    totals.body, period_start, period_end, 'shared-by-group-share' AS figure, '' AS item, '' AS item_label,
    CASE WHEN given THEN coalesce(pounds, 0)::DOUBLE / nullif(in_scope, 0)::DOUBLE END AS value,
    coalesce(pounds, 0)::DOUBLE / nullif(in_scope, 0)::DOUBLE AS lo,
    (coalesce(pounds, 0) + unmatched)::DOUBLE / nullif(in_scope, 0)::DOUBLE AS hi,
    suppliers AS n, coverage,
    CASE
        WHEN NOT given
            THEN 'it needs a table of company groups, and none was supplied (piperoll measure --source company_groups=…)'
    END AS reason
FROM totals
CROSS JOIN groups_given
LEFT JOIN group_totals USING (body)

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'company-pounds' AS figure, company AS item, name AS item_label,
    pounds AS value, bodies AS n, coverage, inferred_share
FROM largest

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'company-bodies' AS figure, company AS item, name AS item_label,
    largest.bodies AS value, largest.bodies AS lo, largest.bodies + coalesce(maybe.bodies, 0) AS hi,
    largest.bodies AS n, coverage, inferred_share
FROM largest LEFT JOIN maybe USING (company)

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'company-share' AS figure, company AS item, name AS item_label,
    pounds::DOUBLE / all_pounds::DOUBLE AS value, bodies AS n, coverage, inferred_share
FROM largest

UNION ALL BY NAME
SELECT
    totals.body, period_start, period_end, 'concentration' AS figure, item, coalesce(functions.label, '') AS item_label,
    (squares + unmatched_squares) / (pounds * pounds) AS value, squares / (pounds * pounds) AS lo,
    (squares - largest * largest + pow(largest + pounds - matched, 2)) / (pounds * pounds) AS hi,
    concentrations.n, matched / pounds AS coverage
FROM concentrations
INNER JOIN (SELECT body, period_start, period_end FROM totals) AS totals USING (body)
LEFT JOIN functions ON functions.id = item

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'same-names' AS figure, '' AS item, '' AS item_label,
    count(*) AS value, count(*) AS n, 'indicative' AS status,
    'the same name is not the same company for certain' AS reason
FROM same_names GROUP BY ALL

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'same-name-pounds' AS figure, supplier_key AS item,
    split_part(names, '; ', 1) AS item_label, pounds AS value, bodies AS n, 'indicative' AS status,
    'the same name is not the same company for certain' AS reason
FROM same_names
QUALIFY row_number() OVER (PARTITION BY body ORDER BY pounds DESC, supplier_key) <= 50

UNION ALL BY NAME
SELECT
    body, period_start, period_end, 'same-name-pounds' AS figure, '' AS item, 'all of them' AS item_label,
    sum(pounds) AS value, count(*) AS n, 'indicative' AS status,
    'the same name is not the same company for certain' AS reason
FROM same_names GROUP BY ALL
