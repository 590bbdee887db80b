BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiIY15x7EK48ZZTq',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','tenant.founded','tenant','ten_03GANXBiNhjKfUbjGtXuMk',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMJAQPx9E51X7q5',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiMCZul7SmHFqPgL','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000000','127.0.0.1','{"display":"bf_key_03GA\u2026ONYk","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKSGp8gxkHDM7JJ',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiLnRo6M6Z3BbC5P','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000001','127.0.0.1','{"display":"bf_key_03GA\u2026B37X","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNVdfxIUoJOkMUP',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiL29ZZ6dLoXvj6q','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000002','127.0.0.1','{"display":"bf_key_03GA\u2026WfrC","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJN5uEaMKodF6yR',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiImEHI04XQZjp1j','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000003','127.0.0.1','{"display":"bf_key_03GA\u2026GEHC","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNtJC9G1lTG8v86',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiKSMUUoA5qkKtTA','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000004','127.0.0.1','{"display":"bf_key_03GA\u2026wC4Q","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNFOxW0AvTJzhKq',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiKaUaTcgiHoCwSH','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000005','127.0.0.1','{"display":"bf_key_03GA\u2026Bd4J","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJRFPaihImdH3yM',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiKZPrZxYDPQcJRy','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000006','127.0.0.1','{"display":"bf_key_03GA\u2026ukeF","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiK9pUITMILP1hS2',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiKZ2nqDtm37LHhf','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000007','127.0.0.1','{"display":"bf_key_03GA\u20260dhJ","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNI3CB4eTUSSYk7',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiMovbKXDMd4hrWY','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000008','127.0.0.1','{"display":"bf_key_03GA\u20262a4z","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJwJGnfWyiVMSi3',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiKTz3Tfv2edZNiQ','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU00000009','127.0.0.1','{"display":"bf_key_03GA\u20265Pf5","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKZCK13Qdo6KhnL"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJReoq59EqV0EWv',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.disabled','api_key','key_03GANXBiKZPrZxYDPQcJRy','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJa2OchLY67iA11',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.revoked','api_key','key_03GANXBiKZ2nqDtm37LHhf','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLtS1c9hhaGFsw6',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.rotated','api_key','key_03GANXBiMovbKXDMd4hrWY','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000C','127.0.0.1','{"display":"bf_key_03GA\u20262xPd","overlap_seconds":60,"successor_id":"key_03GANXBiKhWXwXzxNlThpH"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKxpnb2jDcFPZAl',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.rotated','api_key','key_03GANXBiKTz3Tfv2edZNiQ','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026WWc0","overlap_seconds":3600,"successor_id":"key_03GANXBiLpBqtoflA8TW0M"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMvWI6kflse3DMp',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.revoked','api_key','key_03GANXBiKTz3Tfv2edZNiQ','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKMRMEapax3JH13',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','user.created','user','usr_03GANXBiODnpyoqVUZBshs','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJc2W4EvSkeUy1y',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','api_key.created','api_key','key_03GANXBiNSch8L6ot2GbB7','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026Hjiu","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiODnpyoqVUZBshs"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLxhxSoxxtsAr74',1900000000000000,'ten_03GANXBiNhjKfUbjGtXuMk','user.changed','user','usr_03GANXBiODnpyoqVUZBshs','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','api','req_454vNjjYixaGCU0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE changes (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiNhjKfUbjGtXuMk',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiOEFcg8bPpo3nuN',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiMCZul7SmHFqPgL',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiLnRo6M6Z3BbC5P',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiL29ZZ6dLoXvj6q',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiImEHI04XQZjp1j',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiKSMUUoA5qkKtTA',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiKaUaTcgiHoCwSH',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiKZPrZxYDPQcJRy',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiKZ2nqDtm37LHhf',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiMovbKXDMd4hrWY',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiKTz3Tfv2edZNiQ',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiKZPrZxYDPQcJRy',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiKZ2nqDtm37LHhf',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiMovbKXDMd4hrWY',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiKhWXwXzxNlThpH',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiKTz3Tfv2edZNiQ',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiLpBqtoflA8TW0M',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiKTz3Tfv2edZNiQ',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiLpBqtoflA8TW0M',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiODnpyoqVUZBshs',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiNSch8L6ot2GbB7',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiODnpyoqVUZBshs',1900000000000000);
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiOEFcg8bPpo3nuN','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiOEFcg8bPpo3nuN','','{}','bf_key_03GA…yYbC','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'92F8E47EC16ACAA029DEF14E6F4790A613505038B6C86AC20CCD0A65E07D31F2','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiMCZul7SmHFqPgL','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMCZul7SmHFqPgL','','{}','bf_key_03GA…ONYk','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D7108785F3EDBB6D59770771ECD90FB61AA5DE9A8CF7709CD3BDA34DEA4C0813','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLnRo6M6Z3BbC5P','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLnRo6M6Z3BbC5P','','{}','bf_key_03GA…B37X','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A65CA2E2FF8B9532E2D182A17F45D81A59873C125DC1E1FAF9FE1735B4E89673','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiL29ZZ6dLoXvj6q','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiL29ZZ6dLoXvj6q','192.0.2.0/24','{}','bf_key_03GA…WfrC','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2456913D46A10733800A3FABA48764038492B837FD63C0D4E6DCE95BE527C3DB','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiImEHI04XQZjp1j','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiImEHI04XQZjp1j','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…GEHC','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'CF8CDABBD97E40B995BFDBF63C153614AFA7F765BCFC881771E72D32111A126C','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKSMUUoA5qkKtTA','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiKSMUUoA5qkKtTA','','{}','bf_key_03GA…wC4Q','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'3A844D0371FF3515D5BF8EBFE132BA716B26FCE34968638D617E705397A79596','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKaUaTcgiHoCwSH','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiKaUaTcgiHoCwSH','','{}','bf_key_03GA…Bd4J','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'CD8793A8183993D92C9461C5A086764FBEF0CF4C11DF7A87945FB963C9FF713C','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKZPrZxYDPQcJRy','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiKZPrZxYDPQcJRy','','{}','bf_key_03GA…ukeF','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'950312E4EC62DC72885EC4A5F65C54DE527DD2D78BECA768716E2BF0232FD2F9','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKZ2nqDtm37LHhf','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiKZ2nqDtm37LHhf','','{}','bf_key_03GA…0dhJ','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'66922D48D33F13E51FF84168A3FF90AE4593B341F808283A610DE308DF25A435','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiMovbKXDMd4hrWY','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiMovbKXDMd4hrWY','','{}','bf_key_03GA…2a4z','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'6D2CB74821955A0E4A901A3353D7A6B8DD6FC3047EB82F202DA71DF7253D53B8','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKTz3Tfv2edZNiQ','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiKTz3Tfv2edZNiQ','','{}','bf_key_03GA…5Pf5','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'A7E46A762DC59A5FB1081E0BA94B393236084412654FE5333B8BCEDFD348CFAE','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKhWXwXzxNlThpH','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiMovbKXDMd4hrWY','key_03GANXBiMovbKXDMd4hrWY','','{}','bf_key_03GA…2xPd','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'9A2A46C8EFBD291ECC27021C7B5AC0474617832E46AE9A37B3BDD3471BE9FED1','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLpBqtoflA8TW0M','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiKTz3Tfv2edZNiQ','key_03GANXBiKTz3Tfv2edZNiQ','','{}','bf_key_03GA…WWc0','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'AC8B8998CF8BBBE337017C70775A49D98E35547C51504785251BBDA32226FA9C','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiNSch8L6ot2GbB7','api_key','ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiODnpyoqVUZBshs','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNSch8L6ot2GbB7','','{}','bf_key_03GA…Hjiu','usr_03GANXBiKZCK13Qdo6KhnL',1900000000000000,1900000000000000,NULL,NULL,NULL,X'9C4CDD97B2215759EC1305FCAF032BC197573D31246A4919CE0E1BEB79B5D84C','e18a51f90c52',NULL);
CREATE TABLE denials (
        request_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT,
        user_id TEXT,
        credential_id TEXT,
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    );
CREATE TABLE expiry_notices (
        credential_id TEXT NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    );
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiKZCK13Qdo6KhnL','person','$argon2id$v=19$m=19456,t=2,p=1$MjzNbjF+YFg+icn7a/Ba2g$0VeG5dFy0ZU/rCsRrWOjEbPdmUIIIoOM9iLnowhaiA4',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiNhjKfUbjGtXuMk','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiNhjKfUbjGtXuMk','usr_03GANXBiKZCK13Qdo6KhnL','key_03GANXBiOEFcg8bPpo3nuN','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('825bca089c5dd150007bc008414cf58b',8,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiKZCK13Qdo6KhnL','ten_03GANXBiNhjKfUbjGtXuMk','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiODnpyoqVUZBshs','ten_03GANXBiNhjKfUbjGtXuMk','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
CREATE INDEX ix_denials_at ON denials (at);
CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at);
CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    ;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
