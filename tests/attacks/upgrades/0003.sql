BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
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
INSERT INTO "audit_events" VALUES('evt_03GANXBiM3L8ozpDEr95zg',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','tenant.founded','tenant','ten_03GANXBiK6ZSPt4NphcDi2',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJdm67rGGa20g6G',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiKaljr6aJTmJkUM','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000000','127.0.0.1','{"display":"bf_key_03GA\u2026J6rw","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNJ33xMp0rqxKU8',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiJ9G33jYYFaCoDs','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000001','127.0.0.1','{"display":"bf_key_03GA\u2026cnlD","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOImS1u8n7gfukv',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiMTPZoK9K5rwcov','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000002','127.0.0.1','{"display":"bf_key_03GA\u2026r1hv","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIVnqQOheJBBpAG',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiMEE9NgvE1NGV8J','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000003','127.0.0.1','{"display":"bf_key_03GA\u202643s7","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNLGnt09rciVrms',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiIxL0rSj7wbOHVP','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000004','127.0.0.1','{"display":"bf_key_03GA\u2026aATP","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNl4cYkEzFuFgNo',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiMpsw6bgBL4ITCc','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000005','127.0.0.1','{"display":"bf_key_03GA\u2026tK7g","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiITNl1NikxD3DZD',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiIt0WkFH6vn1fiY','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000006','127.0.0.1','{"display":"bf_key_03GA\u2026eyem","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMWKOTHjrKbA9OG',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiJT2XBCrQVA7umI','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000007','127.0.0.1','{"display":"bf_key_03GA\u2026960l","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOCVAEjNeAYGBZg',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiNnqHkJOYQx3oOV','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000008','127.0.0.1','{"display":"bf_key_03GA\u2026qmaG","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLyHyax9RzspZFi',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiJWH1JxoXmLDc6x','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD00000009','127.0.0.1','{"display":"bf_key_03GA\u2026C83X","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJcn4JV2l4OgHJf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMDhLiwH1d73A9P',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.disabled','api_key','key_03GANXBiIt0WkFH6vn1fiY','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL2T7ppGw4X8zdY',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.revoked','api_key','key_03GANXBiJT2XBCrQVA7umI','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJAx35NNyEFazNt',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.rotated','api_key','key_03GANXBiNnqHkJOYQx3oOV','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026YEO2","overlap_seconds":60,"successor_id":"key_03GANXBiKIjrAHpwhowQSf"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMQ8nawWsguKqyD',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.rotated','api_key','key_03GANXBiJWH1JxoXmLDc6x','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026ruUY","overlap_seconds":3600,"successor_id":"key_03GANXBiKZv6HNbyK2xx0b"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJFnitHq6bE7zk5',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.revoked','api_key','key_03GANXBiJWH1JxoXmLDc6x','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNnhA5GC1idoRYs',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','user.created','user','usr_03GANXBiMlBvTwMLxrleau','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIkhSg3YmqeS1nq',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','api_key.created','api_key','key_03GANXBiIc9YLXqm6H6JDu','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026vXME","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMlBvTwMLxrleau"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLFeL836lRZXvuJ',1900000000000000,'ten_03GANXBiK6ZSPt4NphcDi2','user.changed','user','usr_03GANXBiMlBvTwMLxrleau','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','api','req_51bJyKUKMyBVPD0000000H','127.0.0.1','{"status":"disabled"}');
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
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiK6ZSPt4NphcDi2',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiNzPzqKyE8kHnPr',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiKaljr6aJTmJkUM',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiJ9G33jYYFaCoDs',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiMTPZoK9K5rwcov',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiMEE9NgvE1NGV8J',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiIxL0rSj7wbOHVP',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiMpsw6bgBL4ITCc',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiIt0WkFH6vn1fiY',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiJT2XBCrQVA7umI',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiNnqHkJOYQx3oOV',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiJWH1JxoXmLDc6x',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiIt0WkFH6vn1fiY',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiJT2XBCrQVA7umI',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiNnqHkJOYQx3oOV',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiKIjrAHpwhowQSf',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiJWH1JxoXmLDc6x',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiKZv6HNbyK2xx0b',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiJWH1JxoXmLDc6x',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiKZv6HNbyK2xx0b',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiMlBvTwMLxrleau',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiIc9YLXqm6H6JDu',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiMlBvTwMLxrleau',1900000000000000);
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
        pepper_id TEXT NOT NULL,
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
INSERT INTO "credentials" VALUES('key_03GANXBiNzPzqKyE8kHnPr','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiNzPzqKyE8kHnPr','','{}','bf_key_03GA…znxi','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'8E5A28946436ACE210ACA0C40196ADC748D6DC8D4BD9BE5C35001AB46CF1BADA','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiKaljr6aJTmJkUM','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKaljr6aJTmJkUM','','{}','bf_key_03GA…J6rw','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'E4CF56FECBFFA528C8513E8397CA784B0C31DBD2B9899B9B80F54B2CE55371F8','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJ9G33jYYFaCoDs','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJ9G33jYYFaCoDs','','{}','bf_key_03GA…cnlD','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'94C4843926728F774CC5EE999F6DB4EA19FF9B4D5AFB68A1C2ADB7BF00E80897','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMTPZoK9K5rwcov','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMTPZoK9K5rwcov','192.0.2.0/24','{}','bf_key_03GA…r1hv','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'E94311866F5BC2CCA9787DEFF73CE8CACF2E2B29BD1ECC4A134B695CEEEA40F0','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMEE9NgvE1NGV8J','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMEE9NgvE1NGV8J','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…43s7','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'B576F0B21FFE766C3E5A48E5EB5DA525563A0C5DF8E327D3F937201BED2F8146','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIxL0rSj7wbOHVP','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiIxL0rSj7wbOHVP','','{}','bf_key_03GA…aATP','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D0DFC4B1F26DA2D1D00852A7C542BDBCFA70B5F43CD390A7C0FD7C24D419186A','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMpsw6bgBL4ITCc','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiMpsw6bgBL4ITCc','','{}','bf_key_03GA…tK7g','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'9A172C9FBEEEC9F7983F5689D6BC3867E614D08992979B38892BCD6E9709D72C','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIt0WkFH6vn1fiY','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiIt0WkFH6vn1fiY','','{}','bf_key_03GA…eyem','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'AC4D44AF98A9CE176F5DD8E540F41E4B51BA8AB93B45297D5245F3A8D9DF503B','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJT2XBCrQVA7umI','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiJT2XBCrQVA7umI','','{}','bf_key_03GA…960l','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'4EDE0FBAAFA4608DB2E67042D09C2616D1C517353CB2CA88D9C8B2FAAB95FE26','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiNnqHkJOYQx3oOV','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiNnqHkJOYQx3oOV','','{}','bf_key_03GA…qmaG','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2124F2DACC110221D97EB5ABB8A69AC752013C649B5EA3C3E68B1A70F4464648','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJWH1JxoXmLDc6x','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiJWH1JxoXmLDc6x','','{}','bf_key_03GA…C83X','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'AC3DBCE3EF6EF93F74F64EF42424A166F565069A14CCCC8E529A09340778281D','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiKIjrAHpwhowQSf','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiNnqHkJOYQx3oOV','key_03GANXBiNnqHkJOYQx3oOV','','{}','bf_key_03GA…YEO2','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'6D52B7AE3DDAC8E3D48252DF58C82A03E71D386CA7A5AC5B0B3E848601DDFD38','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiKZv6HNbyK2xx0b','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiJWH1JxoXmLDc6x','key_03GANXBiJWH1JxoXmLDc6x','','{}','bf_key_03GA…ruUY','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'6027B0285496643B4369913E3FFC1556EC8C1B2CC478F558BC30F2C3457DDECF','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIc9YLXqm6H6JDu','api_key','ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiMlBvTwMLxrleau','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiIc9YLXqm6H6JDu','','{}','bf_key_03GA…vXME','usr_03GANXBiJcn4JV2l4OgHJf',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1A034CD674F8AEB3AF451E3E0534590B4B21FA9F5A6A594F705C3E946C65E3EC','e18a51f90c52');
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
INSERT INTO "passwords" VALUES('usr_03GANXBiJcn4JV2l4OgHJf','person','$argon2id$v=19$m=19456,t=2,p=1$MdfR65hpfhVnXxO3LTuz9Q$PRrA1HtZqQ1YpsJ6Sfenl+D6dKII2jgzIwvcKPPmXnY',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000);
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiK6ZSPt4NphcDi2','default','active','free',1,1900000000000000,1900000000000000);
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
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiK6ZSPt4NphcDi2','usr_03GANXBiJcn4JV2l4OgHJf','key_03GANXBiNzPzqKyE8kHnPr','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('2f8eb3a4cbfe9e08fb270c2db53eeffe',7,1900000000000000);
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
INSERT INTO "users" VALUES('usr_03GANXBiJcn4JV2l4OgHJf','ten_03GANXBiK6ZSPt4NphcDi2','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiMlBvTwMLxrleau','ten_03GANXBiK6ZSPt4NphcDi2','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_created ON credentials (created_at, id);
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, created_at, id);
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
